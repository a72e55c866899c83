import CHiredis
import Glibc

/// One connection to Redis, for one thread: it never waits, but says when it is to be asked again.
// SAFETY: @safe because the context is valid for as long as the object lives, and never leaves it.
@safe
final class RedisSession {
    private let context: UnsafeMutablePointer<redisContext>
    /// Whether there is something that the socket would not take yet.
    private(set) var wantsToWrite = true
    /// When Redis was asked for what it has not answered, the oldest first.
    private(set) var asked: [ContinuousClock.Instant] = []

    /// Begins to connect; the commands to come in with are on their way already.
    init?(_ url: RedisURL) {
        // Waits for the name to be resolved, which is why this is on a thread of its own.
        guard let context = unsafe redisConnectNonBlock(url.host, Int32(url.port)) else { return nil }
        unsafe self.context = context
        guard unsafe context.pointee.err == 0 else { return nil }
    }

    deinit { unsafe redisFree(context) }

    /// The socket, to wait for.
    var descriptor: Int32 { unsafe context.pointee.fd }

    /// What went wrong, in the library's words.
    var problem: String {
        unsafe withUnsafeBytes(of: context.pointee.errstr) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// Adds a command to what is sent. Its reply, in its turn, is counted as one, unless it has none of its own.
    func append(_ arguments: [[UInt8]], isAnswered: Bool = true) {
        // With a byte more, so that even nothing has an address.
        let bytes = arguments.flatMap(\.self) + [0]
        let lengths = arguments.map(\.count)
        let isTaken = unsafe chiredis_append(context, Int32(arguments.count), bytes, lengths) == REDIS_OK
        precondition(isTaken, "no command of ours has so many arguments")
        if isAnswered { asked.append(.now) }
        wantsToWrite = true
    }

    /// Sends as much as the socket takes; false if the connection is broken.
    func write() -> Bool {
        var isDone: Int32 = 0
        guard unsafe redisBufferWrite(context, &isDone) == REDIS_OK else { return false }
        wantsToWrite = isDone == 0
        return true
    }

    /// Takes in what has come; false if the connection is broken.
    func read() -> Bool { unsafe redisBufferRead(context) == REDIS_OK }

    /// The next complete reply of those that have come. Throws if what comes is no Redis.
    func next() throws(RedisFailure) -> RedisReply? {
        var status: Int32 = 0
        let reply = unsafe chiredis_next(context, &status)
        guard status == REDIS_OK else { throw .away(reason: problem) }
        guard let reply = unsafe reply else { return nil }
        defer { unsafe freeReplyObject(reply) }
        return unsafe RedisReply(reply)
    }

    /// The oldest command has its reply.
    func answered() { if !asked.isEmpty { asked.removeFirst() } }
}

/// Why Redis did not do what it was asked.
public enum RedisFailure: Error, Hashable, Sendable {
    /// There is no connection, or it broke.
    case away(reason: String)
    /// It refused, in its own words.
    case refused(String)
    /// So much waits to be sent already that more would only come too late.
    case crowded
}

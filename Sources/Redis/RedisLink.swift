import Locking
import NIOPosix

/// Redis, as far as servers talk to each other by it: channels that are listened to, messages to publish, and now and then a
/// command. All of it happens on one thread of its own, so that nobody waits.
///
/// It is away more often than a database and kept less carefully; so nothing here is a promise. Messages that are published while it
/// is away are dropped, and whoever listens is told when messages may have been missed.
public final class RedisLink: Sendable {
    /// What happens on the link, told on its own thread.
    public enum Event: Sendable {
        /// Somebody published this.
        case message(channel: String, payload: [UInt8])
        /// A channel is listened to from now on.
        case subscribed(channel: String)
        /// The channels are listened to, from now on and not before: whatever was published until now may have been missed.
        case listening
        /// The connection is gone, or there was none.
        case away(reason: String)
    }

    /// Messages and commands that may wait to be sent.
    public static let waitingLimit = 10_000

    struct Command: Sendable {
        let arguments: [[UInt8]]
        /// Nil for a message, whose fate nobody asks about.
        let done: (@Sendable (Result<RedisReply, RedisFailure>) -> Void)?
    }

    struct State {
        /// What is to be listened to.
        var channels: Set<String> = []
        /// Channels that were added or taken out since the thread last looked.
        var changes: Set<String> = []
        var commands: [Command] = []
        var isConnected = false
        var isClosed = false
    }

    let state = Locked(State())
    let bell: Bell
    private let thread = NIOThreadPool(numberOfThreads: 1)

    /// A link that connects at once and again whenever it has to.
    public init(_ url: RedisURL, onEvent: @escaping @Sendable (Event) -> Void) throws(RedisFailure) {
        bell = try Bell()
        thread.start()
        thread.submit { [self] _ in RedisLoop(self, url, onEvent).run() }
    }

    /// Listens to a channel.
    public func subscribe(_ channel: String) { change { $0.channels.insert(channel).inserted ? channel : nil } }

    /// Listens to a channel no more.
    public func unsubscribe(_ channel: String) { change { $0.channels.remove(channel) } }

    private func change(_ body: (inout State) -> String?) {
        let isNews = state.withLock { state in
            guard let channel = body(&state) else { return false }
            state.changes.insert(channel)
            return true
        }
        if isNews { bell.ring() }
    }

    /// Sends a message to whoever listens now; false if it is known that it is not sent.
    @discardableResult
    public func publish(_ payload: [UInt8], to channel: String) -> Bool {
        let isTaken = state.withLock { state in
            guard state.isConnected, state.commands.count < Self.waitingLimit else { return false }
            let arguments = [Array("PUBLISH".utf8), Array(channel.utf8), payload]
            state.commands.append(Command(arguments: arguments, done: nil))
            return true
        }
        if isTaken { bell.ring() }
        return isTaken
    }

    /// Runs a command and answers its reply.
    public func run(_ arguments: [String]) async throws(RedisFailure) -> RedisReply {
        try await withCheckedContinuation { continuation in
            let command = Command(
                arguments: arguments.map { Array($0.utf8) },
                done: { continuation.resume(returning: $0) }
            )
            let refusal: RedisFailure? = state.withLock { state in
                if !state.isConnected { return .away(reason: "there is no connection") }
                if state.commands.count >= Self.waitingLimit { return .crowded }
                state.commands.append(command)
                return nil
            }
            if let refusal { continuation.resume(returning: Result<RedisReply, RedisFailure>.failure(refusal)) }
            bell.ring()
        }.get()
    }

    /// Whether messages are heard now.
    public var isConnected: Bool { state.withLock(\.isConnected) }

    /// Ends the connection.
    public func close() async {
        state.withLock { $0.isClosed = true }
        bell.ring()
        await withCheckedContinuation { continuation in
            thread.shutdownGracefully { _ in continuation.resume() }
        }
    }
}

import Glibc
import Locking

/// The thread's part of a link: two connections, since one that listens takes no other commands.
final class RedisLoop {
    /// How long Redis may take to answer before it counts as away.
    private static let patience = Duration.seconds(5)
    /// How often it is asked whether it is still there.
    private static let pulse = Duration.seconds(2)
    /// Between two tries to connect.
    private static let pauses: ClosedRange<Duration> = .milliseconds(100)...(.seconds(3))
    /// Channels in one command.
    private static let batch = 500

    private let link: RedisLink
    private let url: RedisURL
    private let onEvent: @Sendable (RedisLink.Event) -> Void
    private var listener: RedisSession?
    private var speaker: RedisSession?
    private var waiting: [RedisLink.Command] = []
    private var pause = pauses.lowerBound
    private var retryAt = ContinuousClock.now
    private var pulseAt = ContinuousClock.now
    /// The replies to the commands that let us in are still to come.
    private var greetings = 0
    private var isListening = false
    private var lastReason = ""

    init(_ link: RedisLink, _ url: RedisURL, _ onEvent: @escaping @Sendable (RedisLink.Event) -> Void) {
        self.link = link
        self.url = url
        self.onEvent = onEvent
    }

    func run() {
        while !link.state.withLock(\.isClosed) {
            if listener == nil { connect() }
            takeOver()
            beat()
            wait()
            attend(\.listener, hear)
            attend(\.speaker, answer)
        }
        fail("the link was closed", tells: false)
    }

    private func connect() {
        guard ContinuousClock.now >= retryAt else { return }
        guard let listener = RedisSession(url), let speaker = RedisSession(url) else {
            return fail("cannot connect to \(url.host):\(url.port)")
        }
        self.listener = listener
        self.speaker = speaker
        pulseAt = .now + Self.pulse
        greetings = 0
        isListening = false
        if let password = url.password {
            let login = ["AUTH"] + (url.user.map { [$0] } ?? []) + [password]
            listener.append(login)
            speaker.append(login)
            greetings += 1
        }
        if url.database > 0 {
            speaker.append(["SELECT", String(url.database)])
            greetings += 1
        }
        speaker.append(["PING"])
        greetings += 1
        let channels = link.state.withLock { state in
            state.changes = []
            return state.channels.sorted()
        }
        subscribe(channels)
        // Its answer comes after those to all subscriptions.
        listener.append(["PING"])
    }

    private func subscribe(_ channels: [String]) {
        var rest = channels[...]
        while !rest.isEmpty {
            listener?.append(["SUBSCRIBE"] + rest.prefix(Self.batch), isAnswered: false)
            rest = rest.dropFirst(Self.batch)
        }
    }

    /// Takes over what others want since the last time.
    private func takeOver() {
        guard let listener, let speaker else { return }
        link.bell.silence()
        let (new, old, commands) = link.state.withLock { state in
            let new = state.changes.filter(state.channels.contains).sorted()
            let old = state.changes.subtracting(new).sorted()
            let commands = state.commands
            state.changes = []
            state.commands = []
            return (new, old, commands)
        }
        subscribe(new)
        if !old.isEmpty { listener.append(["UNSUBSCRIBE"] + old.prefix(Self.batch), isAnswered: false) }
        if old.count > Self.batch { link.state.withLock { $0.changes.formUnion(old.dropFirst(Self.batch)) } }
        for command in commands {
            speaker.append(command.arguments)
            waiting.append(command)
        }
    }

    /// Asks both whether they are there, and gives up on one that does not answer.
    private func beat() {
        guard let listener, let speaker else { return }
        let now = ContinuousClock.now
        for session in [listener, speaker] {
            if let oldest = session.asked.first, now > oldest + Self.patience { return fail("Redis does not answer") }
        }
        guard now >= pulseAt else { return }
        pulseAt = now + Self.pulse
        listener.append(["PING"])
        speaker.append(["PING"])
        waiting.append(RedisLink.Command(arguments: [], done: nil))
    }

    private func wait() {
        var entries = [pollfd(fd: link.bell.descriptor, events: Int16(POLLIN), revents: 0)]
        for session in [listener, speaker].compactMap(\.self) {
            let events = POLLIN | (session.wantsToWrite ? POLLOUT : 0)
            entries.append(pollfd(fd: session.descriptor, events: Int16(events), revents: 0))
        }
        let until = listener == nil ? retryAt : pulseAt
        let left = (until - .now).components
        let milliseconds = max(0, left.seconds * 1_000 + left.attoseconds / 1_000_000_000_000_000 + 1)
        // Whatever comes of it, the sockets are asked; a session that is nowhere near ready says so.
        _ = unsafe poll(&entries, nfds_t(entries.count), Int32(clamping: milliseconds))
        if listener == nil { link.bell.silence() }
    }

    private func attend(_ path: KeyPath<RedisLoop, RedisSession?>, _ take: (RedisReply) throws(RedisFailure) -> Void) {
        guard let session = self[keyPath: path] else { return }
        do throws(RedisFailure) {
            if session.wantsToWrite, !session.write() { throw .away(reason: session.problem) }
            guard session.read() else { throw .away(reason: session.problem) }
            while self[keyPath: path] === session, let reply = try session.next() { try take(reply) }
        } catch {
            if case .refused(let words) = error { return fail("Redis refused: \(words)") }
            if case .away(let reason) = error { fail(reason) }
        }
    }

    /// A reply on the connection that listens.
    private func hear(_ reply: RedisReply) throws(RedisFailure) {
        switch reply {
        case .array(let parts) where parts.count == 3 && parts[0].text == "message":
            if let channel = parts[1].text, case .bytes(let payload) = parts[2] {
                onEvent(.message(channel: channel, payload: payload))
            }
        case .array(let parts) where parts.first?.text == "subscribe":
            // After a new connection all are told of at once.
            if isListening, parts.count > 1, let channel = parts[1].text { onEvent(.subscribed(channel: channel)) }
        case .array(let parts) where parts.first?.text == "unsubscribe": break
        case .error(let words): throw .refused(words)
        default:
            // A pong; as an array if channels are listened to.
            let isLogin = reply == .status("OK")
            listener?.answered()
            guard !isLogin, !isListening else { return }
            isListening = true
            pause = Self.pauses.lowerBound
            link.state.withLock { $0.isConnected = true }
            onEvent(.listening)
        }
    }

    /// A reply on the connection that speaks.
    private func answer(_ reply: RedisReply) throws(RedisFailure) {
        speaker?.answered()
        if greetings > 0 {
            greetings -= 1
            if case .error(let words) = reply { throw .refused(words) }
            return
        }
        guard !waiting.isEmpty else { return }
        let command = waiting.removeFirst()
        if case .error(let words) = reply {
            command.done?(.failure(.refused(words)))
        } else {
            command.done?(.success(reply))
        }
    }

    private func fail(_ reason: String, tells: Bool = true) {
        listener = nil
        speaker = nil
        // Between half of it and all, so that not all nodes come back at once.
        var generator = SystemRandomNumberGenerator()
        retryAt = .now + pause * Double.random(in: 0.5...1, using: &generator)
        pause = min(Self.pauses.upperBound, pause * 2)
        let (wasConnected, commands) = link.state.withLock { state in
            let commands = state.commands
            state.commands = []
            defer { state.isConnected = false }
            return (state.isConnected, commands)
        }
        for command in waiting + commands { command.done?(.failure(.away(reason: reason))) }
        waiting = []
        guard tells, wasConnected || reason != lastReason else { return }
        lastReason = reason
        onEvent(.away(reason: reason))
    }
}

extension RedisSession {
    fileprivate func append(_ words: [String], isAnswered: Bool = true) {
        append(words.map { Array($0.utf8) }, isAnswered: isAnswered)
    }
}

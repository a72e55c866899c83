public import CallModel
import CallStore
import Locking

/// Says in the store that this node is there, and looks after the calls of nodes that are not.
///
/// A socket is in a call by a session whose name begins with its node's. Whoever shares the store can tell by that whose sockets are
/// gone with their node: their users keep their places for the time of grace, as if each had lost its network.
public final class NodeKeeper: Sendable {
    /// Milliseconds for which a node may be silent before its sockets count as gone.
    public static let silence: Int64 = 8_000
    /// How often a node says that it is there.
    public static let interval = Duration.seconds(2)
    /// Sessions in one look.
    private static let limit = 500

    /// What sessions of this node begin with.
    public let node: String
    private let calls: CallService
    private let silence: Int64
    private let now: @Sendable () -> ContinuousClock.Instant
    private let onForgotten: @Sendable () -> Void
    private let state: Locked<State>

    private struct State {
        /// When the store last took it that this node is there.
        var keptAt: ContinuousClock.Instant
        /// From when on the silence of others means something: while the store was away nobody could be heard.
        var judgesFrom: ContinuousClock.Instant
        /// Whether there may be sessions of nodes that are gone. At the start there may: of nodes that were forgotten, or of a
        /// time when they had no names.
        var mustLook = true
    }

    /// Keeps one node. `onForgotten` hears that others took it for dead: its sockets are in no call any more.
    public init(
        node: String,
        calls: CallService,
        silence: Int64 = NodeKeeper.silence,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        onForgotten: @escaping @Sendable () -> Void
    ) {
        self.node = node
        self.calls = calls
        self.silence = silence
        self.now = now
        self.onForgotten = onForgotten
        state = Locked(State(keptAt: now(), judgesFrom: now() + .milliseconds(silence)))
    }

    /// Whether others have heard of this node lately.
    public var isWell: Bool { state.withLock { now() < $0.keptAt + .milliseconds(silence) } }

    /// Once, before anybody is let in.
    public func enter() async throws(CallFailure) { _ = try await keep() }

    private func keep() async throws(CallFailure) -> NodeCensus {
        let census = try await calls.stored { () async throws(StoreFailure) in
            try await self.calls.store.keep(node: self.node, silence: self.silence)
        }
        state.withLock { [now] in $0.keptAt = now() }
        return census
    }

    /// Works until cancelled.
    public func run() async {
        while !Task.isCancelled {
            await beat()
            do {
                try await Task.sleep(for: Self.interval)
            } catch {
                break
            }
        }
    }

    /// This node ends in order: its sockets have gone before it.
    public func leave() async throws(CallFailure) {
        try await calls.stored { () async throws(StoreFailure) in try await self.calls.store.forget(node: self.node) }
    }

    /// Says once that this node is there, and does what follows from who is not.
    package func beat() async {
        do throws(CallFailure) {
            let census = try await keep()
            if !census.isKnown { onForgotten() }
            // None judges itself, however long its own statements take.
            let lost = census.lost.filter { $0 != node }
            let mustLook = state.withLock { [now] state in
                guard now() >= state.judgesFrom else { return false }
                if !lost.isEmpty { state.mustLook = true }
                return state.mustLook
            }
            guard mustLook else { return }
            try await takeOver()
            for other in lost {
                try await calls.stored { () async throws(StoreFailure) in
                    try await self.calls.store.forget(node: other)
                }
            }
            state.withLock { $0.mustLook = false }
        } catch {
            // Logged by `stored`; the next beat tries again. Others have to be given the time to say that they are there.
            state.withLock { [now, silence] in $0.judgesFrom = now() + .milliseconds(silence) }
        }
    }

    /// Puts everybody whose socket went with its node on grace.
    private func takeOver() async throws(CallFailure) {
        while true {
            let lost = try await calls.stored { () async throws(StoreFailure) in
                try await self.calls.store.lostSessions(silence: self.silence, limit: Self.limit)
            }
            for session in lost where !session.session.hasPrefix(node + ".") {
                let actor = Actor(userID: session.userID, session: session.session)
                do throws(CallFailure) {
                    _ = try await calls.act(.disconnect, on: session.callID, by: actor)
                } catch .storeUnavailable {
                    throw .storeUnavailable
                } catch {
                    calls.log(.actRefused(call: session.callID, code: error.code))
                }
            }
            // What could not be acted on would come again and again.
            if lost.count < Self.limit || Task.isCancelled { return }
        }
    }
}

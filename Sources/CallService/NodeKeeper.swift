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
    private let onForgotten: @Sendable () -> Void
    private let keptAt = Locked(ContinuousClock.now)
    private let mustLook = Locked(true)

    /// Keeps one node. `onForgotten` hears that others took it for dead: its sockets are in no call any more.
    public init(node: String, calls: CallService, onForgotten: @escaping @Sendable () -> Void) {
        self.node = node
        self.calls = calls
        self.onForgotten = onForgotten
    }

    /// Whether others have heard of this node lately.
    public var isWell: Bool { keptAt.withLock { .now < $0 + .milliseconds(Self.silence) } }

    /// Once, before anybody is let in.
    public func enter() async throws(CallFailure) {
        _ = try await calls.stored { () async throws(StoreFailure) in
            try await self.calls.store.keep(node: self.node, silence: Self.silence)
        }
        keptAt.withLock { $0 = .now }
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

    private func beat() async {
        do throws(CallFailure) {
            let census = try await calls.stored { () async throws(StoreFailure) in
                try await self.calls.store.keep(node: self.node, silence: Self.silence)
            }
            keptAt.withLock { $0 = .now }
            if !census.isKnown { onForgotten() }
            // At the start there may be sessions of nodes that are forgotten, or of a time when they had no names.
            if !census.lost.isEmpty { mustLook.withLock { $0 = true } }
            guard mustLook.withLock({ $0 }) else { return }
            try await takeOver()
            for node in census.lost {
                try await calls.stored { () async throws(StoreFailure) in try await self.calls.store.forget(node: node)
                }
            }
            mustLook.withLock { $0 = false }
        } catch {
            // Logged by `stored`; the next beat tries again.
        }
    }

    /// Puts everybody whose socket went with its node on grace.
    private func takeOver() async throws(CallFailure) {
        while true {
            let lost = try await calls.stored { () async throws(StoreFailure) in
                try await self.calls.store.lostSessions(silence: Self.silence, limit: Self.limit)
            }
            for session in lost {
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

import Locking

/// Why a running relay ended without being asked to.
public struct RelayFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which shard, and what it met.
    public let description: String
}

/// Which shards run, and who waits for their end.
final class ShardGroup: Sendable {
    private struct State {
        var isStarted = false
        var running = 0
        var failure: RelayFailure?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    /// True once: the caller starts the shards.
    func claimStart() -> Bool {
        state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
    }

    func shardStarted() {
        state.withLock { $0.running += 1 }
    }

    func shardEnded(_ failure: RelayFailure?) {
        let waiters = state.withLock { state in
            state.running -= 1
            state.failure = state.failure ?? failure
            guard state.running == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    var failure: RelayFailure? { state.withLock { $0.failure } }

    /// Returns when no shard runs any more.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.running > 0 else { return true }
                state.waiters.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}

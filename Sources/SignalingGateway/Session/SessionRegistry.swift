import Locking

/// The sessions that are alive, by id, and how many sockets the application still has to hear of.
final class SessionRegistry: Sendable {
    private struct State {
        var sessions: [String: SessionReference] = [:]
        var isClosed = false
        var laneCount = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    var count: Int { state.withLock { $0.sessions.count } }

    func session(_ id: String) -> SessionReference? {
        state.withLock { $0.sessions[id] }
    }

    /// Adds a session unless there are `limit` already or the server goes down.
    func insert(_ session: SessionReference, id: String, limit: Int) -> Bool {
        state.withLock { state in
            guard !state.isClosed, state.sessions.count < limit else { return false }
            state.sessions[id] = session
            return true
        }
    }

    func remove(_ id: String) {
        state.withLock { $0.sessions[id] = nil }
    }

    /// Admits nobody any more; gives those who are in.
    func close() -> [SessionReference] {
        state.withLock { state in
            state.isClosed = true
            return Array(state.sessions.values)
        }
    }

    func laneOpened() {
        state.withLock { $0.laneCount += 1 }
    }

    func laneClosed() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.laneCount -= 1
            guard state.laneCount == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters {
            waiter.resume()
        }
    }

    /// Returns when the application is done with every socket.
    func untilQuiet() async {
        await withCheckedContinuation { continuation in
            let isQuiet = state.withLock { state in
                if state.laneCount > 0 { state.waiters.append(continuation) }
                return state.laneCount == 0
            }
            if isQuiet { continuation.resume() }
        }
    }
}

import CallModel

/// One lane a call: the acts on it on this node go one after the other, from loading to the last emit.
///
/// The version check alone would keep the state right; the lane keeps acts of one node from undoing each other's work,
/// and keeps the events that they tell in the order of their commits.
actor CallLanes {
    private var waiting: [CallID: [CheckedContinuation<Void, Never>]] = [:]

    /// Runs `work` when every earlier act on the call is done.
    nonisolated func run<Result: Sendable>(
        _ call: CallID,
        _ work: () async throws(CallFailure) -> Result
    ) async throws(CallFailure) -> Result {
        await enter(call)
        do {
            let result = try await work()
            await leave(call)
            return result
        } catch {
            await leave(call)
            throw error
        }
    }

    private func enter(_ call: CallID) async {
        guard waiting[call] != nil else {
            waiting[call] = []
            return
        }
        await withCheckedContinuation { waiting[call]?.append($0) }
    }

    private func leave(_ call: CallID) {
        guard let queue = waiting[call], !queue.isEmpty else {
            waiting[call] = nil
            return
        }
        waiting[call]?.removeFirst().resume()
    }
}

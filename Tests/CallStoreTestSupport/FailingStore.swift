package import CallModel
package import CallStore
import Locking
import Synchronization

/// A store that fails while a test wants it to, as far as tests ask it.
package final class FailingStore: CallStore {
    /// What fails: commits and relay use alone (of a new call only the answer is lost), or the reading of calls too.
    package enum Failure: Int, Sendable { case none, writes, all }

    private let store: any CallStore
    private let failure = Atomic(Failure.none.rawValue)
    private let reads = Atomic(0)
    private let afterRead = Locked<(@Sendable () async -> Void)?>(nil)

    package init(_ store: any CallStore) { self.store = store }

    /// How often calls were read.
    package var readCount: Int { reads.load(ordering: .relaxed) }

    /// Does something once, as soon as a call has been read and before its reader knows.
    package func afterNextRead(_ work: @escaping @Sendable () async -> Void) { afterRead.withLock { $0 = work } }

    package func fail(_ failure: Failure) { self.failure.store(failure.rawValue, ordering: .relaxed) }

    private func check(_ least: Failure) throws(StoreFailure) {
        guard failure.load(ordering: .relaxed) < least.rawValue else {
            throw .unavailable(operation: "anything", reason: "a test")
        }
    }

    package func commit(
        isPatient: Bool,
        prepare: @escaping @Sendable () -> CallCommit?,
        done: @escaping @Sendable (Result<CallCommit?, StoreFailure>) -> Void
    ) {
        do throws(StoreFailure) {
            try check(.writes)
            store.commit(isPatient: isPatient, prepare: prepare, done: done)
        } catch {
            done(.failure(error))
        }
    }

    package func change<Value: Sendable>(
        _ id: CallID,
        _ change: @escaping @Sendable (Call?) -> (commit: CallCommit?, value: Value)
    ) async throws(StoreFailure) -> Value {
        try check(.writes)
        return try await store.change(id, change)
    }

    package func call(_ id: CallID) async throws(StoreFailure) -> Call? {
        reads.add(1, ordering: .relaxed)
        try check(.all)
        let call = try await store.call(id)
        let work = afterRead.withLock { work in
            defer { work = nil }
            return work
        }
        await work?()
        return call
    }

    package func addRelayUse(_ uses: [CallRelayUse]) async throws(StoreFailure) {
        try check(.writes)
        try await store.addRelayUse(uses)
    }

    package func create(_ commit: CallCommit) async throws(StoreFailure) -> CreateOutcome {
        try check(.all)
        let outcome = try await store.create(commit)
        // The write is done, and its answer is lost.
        try check(.writes)
        return outcome
    }

    package func activeCall(inRoom roomID: String) async throws(StoreFailure) -> Call? {
        try await store.activeCall(inRoom: roomID)
    }

    package func activeCalls(of user: UserID, limit: Int) async throws(StoreFailure) -> [Call] {
        try await store.activeCalls(of: user, limit: limit)
    }

    package func history(of user: UserID, before cursor: HistoryCursor?, limit: Int) async throws(StoreFailure)
        -> [Call]
    {
        try await store.history(of: user, before: cursor, limit: limit)
    }

    package func events(of id: CallID, after sequence: Int64, limit: Int) async throws(StoreFailure) -> [CallEvent] {
        try await store.events(of: id, after: sequence, limit: limit)
    }

    package func outgoingEvents(of id: CallID, after sequence: Int64) async throws(StoreFailure) -> [OutgoingEvent] {
        try await store.outgoingEvents(of: id, after: sequence)
    }

    package func sequences(of ids: [CallID]) async throws(StoreFailure) -> [CallID: Int64] {
        try check(.all)
        return try await store.sequences(of: ids)
    }

    package func callsRinging(for users: [UserID]) async throws(StoreFailure) -> [CallID] {
        try check(.all)
        return try await store.callsRinging(for: users)
    }

    package func keep(node: String, silence: Int64) async throws(StoreFailure) -> NodeCensus {
        try check(.writes)
        return try await store.keep(node: node, silence: silence)
    }

    package func lostSessions(silence: Int64, limit: Int) async throws(StoreFailure) -> [NodeSession] {
        try check(.all)
        return try await store.lostSessions(silence: silence, limit: limit)
    }

    package func forget(node: String) async throws(StoreFailure) {
        try check(.writes)
        try await store.forget(node: node)
    }

    package func callsDue(at now: Timestamp, limit: Int) async throws(StoreFailure) -> [CallID] {
        try await store.callsDue(at: now, limit: limit)
    }

    package func callsWithSessions() async throws(StoreFailure) -> [CallID] { try await store.callsWithSessions() }

    package func callsEnded(after moment: Timestamp, limit: Int) async throws(StoreFailure) -> [CallEnding] {
        try await store.callsEnded(after: moment, limit: limit)
    }

    package func prune(endedBefore: Timestamp, keysBefore: Timestamp, limit: Int) async throws(StoreFailure) -> Int {
        try await store.prune(endedBefore: endedBefore, keysBefore: keysBefore, limit: limit)
    }

    package func claimNotices(at now: Timestamp, until: Timestamp, limit: Int) async throws(StoreFailure)
        -> [StoredNotice]
    {
        try check(.writes)
        return try await store.claimNotices(at: now, until: until, limit: limit)
    }

    package func settle(_ notice: StoredNotice, _ outcome: NoticeOutcome) async throws(StoreFailure) {
        try check(.writes)
        try await store.settle(notice, outcome)
    }

    package func claim(
        _ key: IdempotencyKey,
        placing id: CallID?,
        at now: Timestamp
    ) async throws(StoreFailure) -> IdempotencyClaim {
        try await store.claim(key, placing: id, at: now)
    }

    package func settle(_ key: IdempotencyKey, _ result: IdempotencyResult) async throws(StoreFailure) {
        try await store.settle(key, result)
    }

    package func release(
        _ key: IdempotencyKey,
        claimedAt: Timestamp,
        keepsCall: Bool
    ) async throws(StoreFailure) {
        try check(.writes)
        try await store.release(key, claimedAt: claimedAt, keepsCall: keepsCall)
    }
}

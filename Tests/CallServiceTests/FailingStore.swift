import CallModel
import CallStore
import Synchronization

/// A store whose writes fail while a test wants them to.
final class FailingStore: CallStore {
    private let store: SQLiteCallStore
    private let isFailing = Atomic(false)

    init(path: String) throws { store = try SQLiteCallStore(path: path) }

    func fail(_ failing: Bool) { isFailing.store(failing, ordering: .relaxed) }

    func commit(_ commit: CallCommit) async throws(StoreFailure) -> Bool {
        if isFailing.load(ordering: .relaxed) { throw .unavailable(operation: "commit call", reason: "a test") }
        return try await store.commit(commit)
    }

    func create(_ commit: CallCommit) async throws(StoreFailure) -> CreateOutcome { try await store.create(commit) }

    func call(_ id: CallID) async throws(StoreFailure) -> Call? { try await store.call(id) }

    func activeCall(inRoom roomID: String) async throws(StoreFailure) -> Call? {
        try await store.activeCall(inRoom: roomID)
    }

    func activeCalls(of user: UserID, limit: Int) async throws(StoreFailure) -> [Call] {
        try await store.activeCalls(of: user, limit: limit)
    }

    func history(of user: UserID, before cursor: HistoryCursor?, limit: Int) async throws(StoreFailure) -> [Call] {
        try await store.history(of: user, before: cursor, limit: limit)
    }

    func events(of id: CallID, after sequence: Int64, limit: Int) async throws(StoreFailure) -> [CallEvent] {
        try await store.events(of: id, after: sequence, limit: limit)
    }

    func outgoingEvents(of id: CallID, after sequence: Int64) async throws(StoreFailure) -> [OutgoingEvent] {
        try await store.outgoingEvents(of: id, after: sequence)
    }

    func callsDue(at now: Timestamp, limit: Int) async throws(StoreFailure) -> [CallID] {
        try await store.callsDue(at: now, limit: limit)
    }

    func callsWithSessions() async throws(StoreFailure) -> [CallID] { try await store.callsWithSessions() }

    func prune(endedBefore: Timestamp, keysBefore: Timestamp, limit: Int) async throws(StoreFailure) -> Int {
        try await store.prune(endedBefore: endedBefore, keysBefore: keysBefore, limit: limit)
    }

    func addRelayUse(_ uses: [CallRelayUse]) async throws(StoreFailure) {
        if isFailing.load(ordering: .relaxed) { throw .unavailable(operation: "add relay use", reason: "a test") }
        try await store.addRelayUse(uses)
    }

    func callsEnded(after moment: Timestamp, limit: Int) async throws(StoreFailure) -> [CallEnding] {
        try await store.callsEnded(after: moment, limit: limit)
    }

    func claim(_ key: IdempotencyKey, at now: Timestamp) async throws(StoreFailure) -> IdempotencyClaim {
        try await store.claim(key, at: now)
    }

    func settle(_ key: IdempotencyKey, _ result: IdempotencyResult) async throws(StoreFailure) {
        try await store.settle(key, result)
    }

    func release(_ key: IdempotencyKey) async throws(StoreFailure) { try await store.release(key) }
}

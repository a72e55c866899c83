public import CallModel

/// Where calls live. Everything else (sockets, other nodes, timers) is derived from it and may be lost.
///
/// One suite of tests holds for every implementation. No method blocks the calling thread on the database.
public protocol CallStore: Sendable {
    /// Writes a new call, its first events and what clients are told of them, all or nothing.
    func create(_ commit: CallCommit) async throws(StoreFailure) -> CreateOutcome

    /// Writes what an action made of a call, all or nothing, if the stored call is still the one it began from. Tells `done`
    /// once, from any thread, what was written; `nil` if nothing was.
    ///
    /// What only appends is written after whatever else was appended since: events are told to clients under the numbers
    /// that `done` hears of.
    /// `prepare` is asked once, when it is the commit's turn, so that what it answers may have grown meanwhile; if it
    /// answers `nil`, nothing is written. A patient commit may be kept back for a moment, so that others share what a
    /// transaction costs.
    func commit(
        isPatient: Bool,
        prepare: @escaping @Sendable () -> CallCommit?,
        done: @escaping @Sendable (Result<CallCommit?, StoreFailure>) -> Void
    )

    /// Changes a call as it is stored, while nobody else can: for whoever was overtaken again and again by `commit`, since
    /// others have to wait for it. `change` is asked what to write, perhaps twice, and what to answer.
    func change<Value: Sendable>(
        _ id: CallID,
        _ change: @escaping @Sendable (Call?) -> (commit: CallCommit?, value: Value)
    ) async throws(StoreFailure) -> Value

    /// The call of this id.
    func call(_ id: CallID) async throws(StoreFailure) -> Call?

    /// The room's call that has not ended.
    func activeCall(inRoom roomID: String) async throws(StoreFailure) -> Call?

    /// The calls of a user's audience that have not ended, the newest first.
    func activeCalls(of user: UserID, limit: Int) async throws(StoreFailure) -> [Call]

    /// The ended calls of a user's audience, the newest first, older than `cursor`.
    func history(of user: UserID, before cursor: HistoryCursor?, limit: Int) async throws(StoreFailure) -> [Call]

    /// The audit of a call, in order, after number `sequence`.
    func events(of id: CallID, after sequence: Int64, limit: Int) async throws(StoreFailure) -> [CallEvent]

    /// What clients were told, in order, after number `sequence`; at most the newest `CallLimits.keptEvents`.
    func outgoingEvents(of id: CallID, after sequence: Int64) async throws(StoreFailure) -> [OutgoingEvent]

    /// The newest event's number of each of these calls that is there.
    func sequences(of ids: [CallID]) async throws(StoreFailure) -> [CallID: Int64]

    /// The calls that ring for one of these users.
    func callsRinging(for users: [UserID]) async throws(StoreFailure) -> [CallID]

    /// Calls with a deadline that is due, the longest due first.
    func callsDue(at now: Timestamp, limit: Int) async throws(StoreFailure) -> [CallID]

    /// Calls in which somebody is joined by a socket.
    func callsWithSessions() async throws(StoreFailure) -> [CallID]

    /// Says that a node is there, by the database's clock; answers which have been silent for more than so many milliseconds.
    func keep(node: String, silence: Int64) async throws(StoreFailure) -> NodeCensus

    /// Sockets in calls whose node has been silent for so long, or is not known.
    func lostSessions(silence: Int64, limit: Int) async throws(StoreFailure) -> [NodeSession]

    /// Forgets a node.
    func forget(node: String) async throws(StoreFailure)

    /// Adds to what the relay carried for participants; whoever is no participant of a call that is there is passed over.
    func addRelayUse(_ uses: [CallRelayUse]) async throws(StoreFailure)

    /// The calls that ended after a moment, in the order in which they did; the newest `limit` of them.
    func callsEnded(after moment: Timestamp, limit: Int) async throws(StoreFailure) -> [CallEnding]

    /// Deletes ended calls, their audit and idempotency records from before a moment; answers how many calls went.
    func prune(endedBefore: Timestamp, keysBefore: Timestamp, limit: Int) async throws(StoreFailure) -> Int

    /// Claims notices that are due, of each call the first that waits: until a moment they are nobody else's to send.
    func claimNotices(at now: Timestamp, until: Timestamp, limit: Int) async throws(StoreFailure) -> [StoredNotice]

    /// Writes down what came of sending a notice.
    func settle(_ notice: StoredNotice, _ outcome: NoticeOutcome) async throws(StoreFailure)

    /// Claims an idempotency key for its first use, or finds what came of that. `id` is what a call would be called that
    /// the request is about to place.
    func claim(
        _ key: IdempotencyKey,
        placing id: CallID?,
        at now: Timestamp
    ) async throws(StoreFailure) -> IdempotencyClaim

    /// Remembers what came of the first use.
    func settle(_ key: IdempotencyKey, _ result: IdempotencyResult) async throws(StoreFailure)

    /// Gives a key back that was claimed at a moment, after a failure, so that a retry is worked on. With `keepsCall` the
    /// retry is told of the id of the call that may be there.
    func release(_ key: IdempotencyKey, claimedAt: Timestamp, keepsCall: Bool) async throws(StoreFailure)
}

extension CallStore {
    /// As the other one: answers what was written, `nil` if nothing was.
    public func commit(_ commit: CallCommit) async throws(StoreFailure) -> CallCommit? {
        try await withCheckedContinuation { continuation in
            self.commit(isPatient: false, prepare: { commit }, done: { continuation.resume(returning: $0) })
        }.get()
    }
}

/// A database that calls live in: the store, with its schema and its end.
public protocol CallDatabase: CallStore, RoomEventStore, Migrator {
    /// Where it listens for connections, as addresses with ports: no place that anybody else should reach through us. A file
    /// listens nowhere.
    func servers() async throws(StoreFailure) -> [(address: String, port: UInt16)]
    /// Closes it after what is under way.
    func close() async throws(StoreFailure)
}

/// What one act writes: the call as it is now, its new events, and the events for clients.
public struct CallCommit: Sendable {
    /// What the state machine answered.
    public let transition: CallTransition
    /// The same events as clients hear them.
    public let outgoing: [OutgoingEvent]
    /// What of them goes through the outbox to others.
    public let notices: [CallNotice]
    /// What of them the call's room is told.
    public let roomEvents: [RoomEvent]

    /// The number of the call's newest event before.
    public var previousSequence: Int64 { transition.call.sequence - Int64(transition.events.count) }

    /// Whether old signals go with this: in strides, not with every event. They are counted by themselves: numbers that no
    /// client was told, such as those of relay allocations, would push out what clients may still ask for.
    var isTimeToDropSignals: Bool { transition.call.sequence / 64 != previousSequence / 64 }

    /// The same after `count` more events of others; for what only appends, of which neither notices nor rooms tell.
    func renumbered(by count: Int64) -> CallCommit {
        guard count != 0 else { return self }
        return CallCommit(
            transition: transition.renumbered(by: count),
            outgoing: outgoing.map { $0.renumbered(by: count) },
            notices: notices,
            roomEvents: roomEvents
        )
    }

    /// Pairs a transition with its events for clients.
    public init(
        transition: CallTransition,
        outgoing: [OutgoingEvent],
        notices: [CallNotice] = [],
        roomEvents: [RoomEvent] = []
    ) {
        self.transition = transition
        self.outgoing = outgoing
        self.notices = notices
        self.roomEvents = roomEvents
    }
}

/// Whether a call could be placed.
public enum CreateOutcome: Hashable, Sendable {
    /// It was written.
    case created
    /// The room has a call already.
    case roomTaken
}

/// A place in a user's history.
public struct HistoryCursor: Hashable, Sendable {
    /// When the call at this place was placed.
    public let createdAt: Timestamp
    /// Its id, which orders calls of the same millisecond.
    public let callID: CallID

    /// The place of one call.
    public init(createdAt: Timestamp, callID: CallID) {
        self.createdAt = createdAt
        self.callID = callID
    }

    /// Reads what `text` wrote; `nil` if it was somebody else.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[0], radix: 36), let id = CallID(String(parts[1])) else {
            return nil
        }
        self.init(createdAt: Timestamp(milliseconds: milliseconds), callID: id)
    }

    /// The opaque text that clients are given.
    public var text: String { String(createdAt.milliseconds, radix: 36) + "." + callID.rawValue }
}

/// Why the store did not do what it was asked.
public enum StoreFailure: Error, Hashable, Sendable {
    /// It cannot be reached, is busy for too long, or refused; `operation` names the statement, never its values.
    case unavailable(operation: String, reason: String)
    /// What it holds cannot be read as a call.
    case corrupt(operation: String)
}

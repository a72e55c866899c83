public import CallModel
public import CallStore
import Locking
import RoomEvents
import Signaling
import SocketIO
import Synchronization

/// The use cases of calls, the same for REST and sockets: authorise, load, apply, commit, tell.
///
/// Failures are thrown as `CallFailure`. An unknown call is `callNotFound`; a call whose audience the user is not of is
/// `forbidden`. Nothing is decided here that the state machine can decide.
public final class CallService: Sendable {
    let store: any CallStore
    let rooms: any RoomDirectory
    let ice: any ICEServerProvider
    let mediaRelay: (any MediaRelay)?
    let clock: @Sendable () -> Timestamp
    let log: @Sendable (CallServiceReport) -> Void
    let lanes = CallLanes()
    let recentCalls = RecentCalls()
    /// Calls of which the store gave no answer to a commit: it may be written, and then nobody was told of it. Of more than
    /// are kept in mind, sockets hear with the next event of the call, or when they resume.
    let untold = Owed<CallID>()
    /// Keys that could not be given back. More than are kept in mind go back by themselves, as those of a process that died.
    let unreturnedKeys = Owed<UnreturnedKey>()
    let outbox: Outbox?
    let roomOutbox: RoomOutbox?
    let catchUps = CatchUps()
    let sentStreams = SentStreams()
    private let isStoreInTrouble = Atomic(false)

    /// The sockets of this node.
    public let hub: Hub
    /// The numbers that calls live by.
    public let policy: CallPolicy

    /// How often an act is applied anew because another node committed in between, before that one has to wait.
    static let races = 3

    /// Wires the service. `clock` is the wall clock; `log` hears of what nobody is waiting for the result of.
    public init(
        store: any CallStore,
        hub: Hub,
        rooms: any RoomDirectory,
        iceServers: any ICEServerProvider,
        mediaRelay: (any MediaRelay)? = nil,
        outbox: Outbox? = nil,
        roomOutbox: RoomOutbox? = nil,
        policy: CallPolicy,
        clock: @escaping @Sendable () -> Timestamp,
        log: @escaping @Sendable (CallServiceReport) -> Void
    ) {
        self.store = store
        self.hub = hub
        self.rooms = rooms
        ice = iceServers
        self.mediaRelay = mediaRelay
        self.outbox = outbox
        self.roomOutbox = roomOutbox
        self.policy = policy
        self.clock = clock
        self.log = log
    }
}

extension CallTransition {
    /// Why the call is over by this, if it was not before.
    fileprivate var end: EndReason? {
        for event in events { if case .ended(let reason) = event.kind { return reason } }
        return nil
    }
}

/// What happened behind everybody's back, for the log and the metrics. Carries no payload and no token.
public enum CallServiceReport: Sendable {
    /// The store failed; `operation` names the statement.
    case storeFailed(operation: String, reason: String)
    /// The store answers again.
    case storeRecovered
    /// An act of the service itself on a call, not of a user, was refused.
    case actRefused(call: CallID, code: String)
    /// The room of a call will never be told something of it.
    case roomEventUndelivered(UndeliverableRoomEvent)
    /// Somebody's part in a call ended because the user is not in its room any more.
    case memberExpelled(call: CallID)
    /// A call ended; by time alone, if nobody ended it: it rang out, or those in it did not come back.
    case callEnded(call: CallID, reason: EndReason, isByTime: Bool)
}

extension CallService {
    /// Runs one act on one call: load, apply, commit if the call is unchanged, else again; then tell.
    func act(
        _ action: CallAction,
        on id: CallID,
        by actor: Actor,
        authorise: (Call) async throws(CallFailure) -> Void = { _ in }
    ) async throws(CallFailure) -> CallTransition {
        try await inLane(id) { () async throws(CallFailure) in
            try await self.actInLane(action, on: id, by: actor, authorise: authorise)
        }
    }

    /// As `act`, for those who hold the call's lane already.
    func actInLane(
        _ action: CallAction,
        on id: CallID,
        by actor: Actor,
        authorise: (Call) async throws(CallFailure) -> Void
    ) async throws(CallFailure) -> CallTransition {
        let clock = clock
        let policy = policy
        return try await commit(
            id,
            authorise: { (call) async throws(CallFailure) in
                guard call.participant(actor.userID) != nil else { throw .forbidden }
                try await authorise(call)
            },
            apply: { call throws(CallFailure) in
                try call.applying(action, by: actor, now: clock(), policy: policy)
            }
        )
    }

    /// Runs `work` when every earlier act on the call is done, and has the lane to itself meanwhile.
    func inLane<Result: Sendable>(
        _ id: CallID,
        _ work: () async throws(CallFailure) -> Result
    ) async throws(CallFailure) -> Result {
        await lanes.enter(id)
        defer { leaveLane(id) }
        return try await work()
    }

    /// Lets the next into the lane.
    func leaveLane(_ id: CallID) {
        switch lanes.next(id) {
        case .act(let continuation): continuation.resume()
        case .signals(let signals): pass(signals, of: id)
        case nil: break
        }
    }

    /// The one mechanism behind every change of a call; only signals may begin from what this node remembers, see `pass`.
    /// Called from the call's lane.
    ///
    /// `authorise` may wait for others; what it finds holds for as long as this takes.
    func commit(
        _ id: CallID,
        authorise: (Call) async throws(CallFailure) -> Void = { _ in },
        apply: @escaping @Sendable (Call) throws(CallFailure) -> CallTransition
    ) async throws(CallFailure) -> CallTransition {
        for _ in 0..<Self.races {
            guard let call = try await stored({ () async throws(StoreFailure) in try await self.store.call(id) }) else {
                throw .callNotFound
            }
            try await authorise(call)
            let transition = try apply(call)
            guard transition.isChange else { return transition }
            let commit = self.commit(of: transition)
            if let written = try await written(
                commit,
                { () async throws(StoreFailure) in
                    try await self.store.commit(commit)
                }
            ) {
                await committed(written)
                return written.transition
            }
            recentCalls.forget(id)
        }
        // Another node, which need not read the call first, would be faster for as long as it has something to say.
        let asked = Locked<CallCommit?>(nil)
        let result: Result<CallTransition, CallFailure>
        do throws(CallFailure) {
            result = try await stored { () async throws(StoreFailure) in
                try await self.store.change(id) { call in
                    let result = Result { () throws(CallFailure) in
                        guard let call else { throw .callNotFound }
                        return try apply(call)
                    }
                    var commit: CallCommit?
                    if case .success(let transition) = result, transition.isChange {
                        commit = self.commit(of: transition)
                    }
                    asked.withLock { [commit] in $0 = commit }
                    return (commit, result)
                }
            }
        } catch {
            if asked.withLock({ $0 }) != nil { untold.note(id) }
            throw error
        }
        if let commit = asked.withLock({ $0 }) { await committed(commit) }
        return try result.get()
    }

    /// A transition with all that is told of it. What a new call's room may be told is its creator's to know.
    func commit(of transition: CallTransition, announcing announcement: RoomAnnouncement = .withoutOffer) -> CallCommit
    {
        let notices = outbox == nil ? [] : transition.notices
        var generator = SystemRandomNumberGenerator()
        let roomEvents =
            roomOutbox == nil
            ? []
            : transition.roomEvents(
                announcement,
                policy: policy,
                streams: { sentStreams.of($0, in: transition.call.id) },
                using: &generator
            )
        return CallCommit(
            transition: transition,
            outgoing: transition.outgoing,
            notices: notices,
            roomEvents: roomEvents
        )
    }

    /// There is something to send for those who send it.
    func ring(for commit: CallCommit) {
        if !commit.notices.isEmpty { outbox?.ring() }
        if !commit.roomEvents.isEmpty { roomOutbox?.ring() }
    }

    /// Asks the store to write; what it gives no answer to is looked for later.
    func written<Outcome: Sendable>(
        _ commit: CallCommit,
        _ write: () async throws(StoreFailure) -> Outcome
    ) async throws(CallFailure) -> Outcome {
        do throws(CallFailure) {
            return try await stored(write)
        } catch {
            untold.note(commit.transition.call.id)
            throw error
        }
    }

    /// What follows a commit.
    private func committed(_ commit: CallCommit) async {
        let call = commit.transition.call
        recentCalls.remember(call)
        sentStreams.note(commit.transition)
        if let reason = commit.transition.end {
            mediaRelay?.callEnded(call.id)
            log(.callEnded(call: call.id, reason: reason, isByTime: call.endedBy == nil))
        }
        ring(for: commit)
        await tell(commit)
    }

    /// Tells this node's sockets what was committed; first what other nodes committed before it.
    ///
    /// If that cannot be read now, nothing is told, and the next act begins where this one had to stop: what follows a
    /// hole must not be told as if it were all. The act itself is done, so its caller hears of no failure.
    func tell(_ commit: CallCommit) async {
        let call = commit.transition.call
        let before = commit.previousSequence
        if !hub.deliver(commit.outgoing, of: call, after: before) {
            let cursor = hub.cursor(of: call.id) ?? before
            do throws(CallFailure) {
                let missed = try await stored { () async throws(StoreFailure) in
                    try await self.store.outgoingEvents(of: call.id, after: cursor)
                }
                let events = missed.filter { $0.sequence <= before } + commit.outgoing
                _ = hub.deliver(events, of: call, after: cursor)
            } catch {
                hub.announcer?.announce(commit.outgoing, of: call)
                return
            }
        }
        hub.announcer?.announce(commit.outgoing, of: call)
    }

    /// Asks the store; its failures become the retryable one that clients see, and are logged.
    func stored<Result: Sendable>(
        _ work: () async throws(StoreFailure) -> Result
    ) async throws(CallFailure) -> Result {
        do throws(StoreFailure) {
            let result = try await work()
            if isStoreInTrouble.load(ordering: .relaxed), isStoreInTrouble.exchange(false, ordering: .relaxed) {
                log(.storeRecovered)
            }
            return result
        } catch {
            throw reported(error)
        }
    }

    /// Logs the store's failure; answers what clients see of it.
    func reported(_ failure: StoreFailure) -> CallFailure {
        isStoreInTrouble.store(true, ordering: .relaxed)
        switch failure {
        case .unavailable(let operation, let reason):
            log(.storeFailed(operation: operation, reason: reason))
        case .corrupt(let operation):
            log(.storeFailed(operation: operation, reason: "a stored row cannot be read"))
        }
        return .storeUnavailable
    }

    /// The ICE servers for one participant of a call.
    func iceServers(for user: UserID, in call: Call) -> ICEConfiguration {
        ice.iceServers(for: user, call: call.id, relayOnly: call.isRelayOnly, now: clock())
    }
}

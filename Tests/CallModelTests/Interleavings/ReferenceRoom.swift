import CallModel

/// What the documents say of a room and its calls, in the order in which the store took the changes.
///
/// It remembers each call after each change: an act that is refused, or changes nothing, was decided by the call as it
/// was when it was loaded.
struct ReferenceRoom {
    enum Expectation {
        case refused(String)
        case nothing
        case changed(ReferenceCall)
    }

    /// What initiating comes to when the room is looked at.
    enum Placement: Equatable {
        case free
        case answering(CallID)
        case refused(String)
    }

    let members: [String]
    let policy: CallPolicy
    private(set) var order: [CallID] = []
    /// By version, and of each version after each event that changed nothing else.
    private(set) var histories: [CallID: [[ReferenceCall]]] = [:]

    init(members: [String], policy: CallPolicy) {
        self.members = members
        self.policy = policy
    }

    func latest(_ id: CallID) -> ReferenceCall? { histories[id]?.last?.last }

    func version(of id: CallID) -> Int64 { Int64(histories[id]?.count ?? 0) }

    /// The call as it was when it looked like `picture`, which has its version and its newest event's number.
    func call(like picture: Call) -> ReferenceCall? {
        guard let history = histories[picture.id], history.indices.contains(Int(picture.version) - 1) else {
            return nil
        }
        return history[Int(picture.version) - 1].first { $0.sequence == picture.sequence }
    }

    /// One call a room: the one that has not ended.
    var current: CallID? {
        order.last { latest($0)?.stage != .ended }
    }

    mutating func remember(_ call: ReferenceCall, as id: CallID, onlyAppends: Bool = false) {
        if histories[id] == nil { order.append(id) }
        let versions = histories[id, default: []]
        if onlyAppends, !versions.isEmpty {
            histories[id]?[versions.count - 1].append(call)
        } else {
            histories[id, default: []].append([call])
        }
    }

    /// Whom a call of `creator` rings for: those named, or the other members of the room.
    func audience(of initiation: CallInitiation, by creator: String) throws(Refusal) -> [String] {
        guard members.contains(creator) else { throw Refusal("forbidden") }
        var others: [String] = []
        for user in initiation.invitees ?? members where user != creator && !others.contains(user) {
            others.append(user)
        }
        if initiation.invitees == nil {
            if others.count > policy.maximumParticipants { throw Refusal("name_invitees") }
        } else if others.count > 64 {
            throw Refusal("too_many_invitees")
        }
        return others
    }

    /// Initiating while the room rings for you is answering it; while it has another call it is refused.
    func placement(by user: String) -> Placement {
        guard let id = current, let call = latest(id) else { return .free }
        return call.rung.contains(user) ? .answering(id) : .refused("call_exists")
    }

    func expectation(
        of action: CallAction,
        on loaded: Call,
        by actor: Actor,
        at now: Int64
    ) -> Expectation {
        guard var call = call(like: loaded) else { return .refused("call_not_found") }
        do throws(Refusal) {
            return try call.act(action, by: actor, at: now) ? .changed(call) : .nothing
        } catch {
            return .refused(error.code)
        }
    }

    func expectation(ofTime now: Int64, on loaded: Call) -> Expectation {
        guard var call = call(like: loaded) else { return .refused("call_not_found") }
        return call.pass(time: now) ? .changed(call) : .nothing
    }
}

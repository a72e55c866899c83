import CallModel

extension InterleavedRoom {
    /// Somebody sets out to do something; now and then several do the same at once.
    func beginActs() {
        if chance(1, in: 25) { mood = Mood.allCases.randomElement(using: &generator) ?? mood }
        var inclination = drawnInclination()
        if store.activeCall == nil, !isBeingPlaced, chance(1, in: 2) { inclination = .initiate }
        for _ in 0..<(chance(1, in: 5) ? 3 : 1) {
            tally.acts[inclination, default: 0] += 1
            begin(inclination)
        }
    }

    private var isBeingPlaced: Bool {
        underway.contains { if case .initiate = $0.errand { true } else { false } }
    }

    private func drawnInclination() -> Mood.Inclination {
        let weights = mood.weights
        var ticket = Int.random(in: 0..<weights.reduce(0) { $0 + $1.1 }, using: &generator)
        for (inclination, weight) in weights {
            ticket -= weight
            if ticket < 0 { return inclination }
        }
        return .wait
    }

    private func begin(_ inclination: Mood.Inclination) {
        switch inclination {
        case .wait: wait()
        case .sweep: sweep(chance(1, in: 2) ? Array(skews.indices) : [drawnNode()])
        case .initiate: initiate(Self.users.randomElement(using: &generator) ?? "")
        case .intrude: intrude()
        default:
            let id = drawnCall()
            act(drawnUser(inclination, of: id), inclination, on: id)
        }
    }

    /// Some time passes; now and then just as much as a deadline needs, or one millisecond less.
    private func wait() {
        let node = drawnNode()
        let deadline = store.calls.compactMap(\.nextDeadline).min().map { $0.milliseconds - skews[node] }
        if let deadline, deadline > time, chance(1, in: 10) {
            time = deadline - (chance(1, in: 4) ? 1 : 0)
            sweep([node])
        } else {
            time += mood.pause(using: &generator)
            if chance(1, in: 2) { sweep([node]) }
        }
    }

    /// Mostly somebody whom the call concerns; for an answer or a refusal somebody it rings for, for what is said in it
    /// somebody who is in.
    private func drawnUser(_ inclination: Mood.Inclination, of id: CallID?) -> String {
        var users = Self.users
        if chance(9, in: 10), let call = id.flatMap(store.call(_:)) {
            let concerned = call.participants.filter { $0.userID != "dave" }
            users = concerned.map(\.userID)
            if chance(2, in: 3) {
                let apt =
                    switch inclination {
                    case .ring, .answer, .reject: concerned.filter(\.state.isRinging)
                    case .join, .toggle, .media, .signal, .disconnect, .leave: concerned.filter(\.state.isPresent)
                    default: concerned
                    }
                if !apt.isEmpty { users = apt.map(\.userID) }
            }
        }
        return users.randomElement(using: &generator) ?? ""
    }

    private func initiate(_ user: String) {
        let actor = Actor(userID: user, deviceID: chance(1, in: 8) ? nil : device(of: user))
        var wish = CallInitiation(roomID: "!room")
        wish.callType = chance(1, in: 2) ? .video : .voice
        wish.isGroup = chance(2, in: 5)
        if chance(1, in: 4) { wish.offer = Signal(kind: .offer, to: nil, payload: "{}") }
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<6: break
        case 6: wish.invitees = []
        case 7: wish.invitees = (0...CallLimits.invitees).map { "user\($0)" }
        case 8: wish.invitees = [user, "bob", "bob", "carol"]
        case 9..<16: wish.invitees = [Self.users.filter { $0 != user }.randomElement(using: &generator) ?? ""]
        default: wish.invitees = Self.users.filter { $0 != user }
        }
        let reachable = Set(Self.users.filter { _ in chance(1, in: 2) })
        // Whom it rings for is found when the wish comes in.
        let node = drawnNode()
        let isMember = members.contains(user)
        let audience = Result { () throws(CallFailure) in
            guard isMember else { throw .forbidden }
            return try wish.audience(of: user, roomMembers: members, policy: policy)
        }
        let expected = Result { () throws(Refusal) in try reference.audience(of: wish, by: user) }
        if (try? audience.get()) != (try? expected.get()) || audience.failure?.code != expected.failure?.code {
            violate(.reference, "an audience of \(audience) instead of \(expected)")
        }
        let errand = ActUnderway.Errand.initiate(wish, audience, reachable: reachable)
        let act = ActUnderway(node: node, actor: actor, errand: errand, step: .place)
        note("\(act): begins")
        guard isMember else { return _ = finish(act, .refused(code: CallFailure.forbidden.code)) }
        underway.append(act)
    }

    /// Somebody who has no business here.
    private func intrude() {
        if chance(1, in: 4) { return initiate("mallory") }
        let kinds = Mood.Inclination.allCases.filter { ![.initiate, .wait, .sweep, .intrude].contains($0) }
        let inclination = kinds.randomElement(using: &generator) ?? .answer
        if chance(1, in: 4), let unknown = CallID("unknown") {
            act(Self.users.randomElement(using: &generator) ?? "", inclination, on: unknown)
        } else {
            act("mallory", inclination, on: drawnCall())
        }
    }

    private func act(_ user: String, _ inclination: Mood.Inclination, on id: CallID?) {
        guard let id else { return }
        let call = store.call(id)
        let (action, actor) = drawnAct(user, inclination, call)
        let act = ActUnderway(node: drawnNode(), actor: actor, errand: .act(action, id), step: .load(id))
        note("\(act): begins")
        underway.append(act)
    }

    private func drawnAct(_ user: String, _ inclination: Mood.Inclination, _ call: Call?) -> (CallAction, Actor) {
        let rest = Actor(userID: user, deviceID: chance(1, in: 10) ? nil : device(of: user))
        switch inclination {
        case .ring: return (.ring, rest)
        case .answer: return (.answer(description: chance(1, in: 4) ? signal(.answer, from: user) : nil), rest)
        case .reject:
            return (.reject(chance(1, in: 2) ? .busy : EndReason.allCases.randomElement(using: &generator)), rest)
        case .end: return (.end(chance(1, in: 3) ? .failed : chance(1, in: 4) ? .busy : nil), rest)
        case .join:
            let own = call?.participant(user)?.deviceID
            let device = chance(3, in: 4) ? own ?? device(of: user) : device(of: user)
            let named = chance(1, in: 6) ? nil : device
            return (
                .join(after: drawnPosition(in: call)), Actor(userID: user, deviceID: named, session: socket(of: device))
            )
        case .leave: return (.leave, bySocket(user, call))
        case .disconnect:
            let session = (chance(5, in: 6) ? call?.participant(user)?.session : nil) ?? socket(of: device(of: user))
            return (.disconnect, Actor(userID: user, session: session))
        case .toggle where chance(1, in: 2): return (.toggleAudio(chance(1, in: 2)), bySocket(user, call))
        case .toggle: return (.toggleVideo(chance(1, in: 2)), bySocket(user, call))
        case .media:
            var state = MediaState()
            if chance(1, in: 2) { state.onHold = chance(1, in: 2) }
            if chance(1, in: 3) { state.screenShare = chance(1, in: 2) }
            if chance(1, in: 3) { state.callType = CallType.allCases.randomElement(using: &generator) }
            return (.changeMedia(state), bySocket(user, call))
        case .relay where chance(1, in: 2): return (.relayAllocated, Actor(userID: user))
        case .relay where chance(1, in: 2):
            return (.roomEventUndelivered(type: "m.call.hangup", reason: "expired"), Actor(userID: user))
        case .relay: return (.relayReleased(.released, bytes: 1), Actor(userID: user))
        default:
            let kind = SignalKind.allCases.randomElement(using: &generator) ?? .candidate
            let count = kind == .candidate ? Int.random(in: 0...3, using: &generator) : 1
            return (.signal((0..<count).map { _ in signal(kind, from: user) }), bySocket(user, call))
        }
    }

    /// The number of the last event that a client says it received: mostly a true one.
    private func drawnPosition(in call: Call?) -> Int64? {
        let newest = call?.sequence ?? 0
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<9: return nil
        case 9..<14: return newest
        case 14..<17: return Int64.random(in: 0...newest, using: &generator)
        case 17: return newest + Int64.random(in: 1...3, using: &generator)
        case 18: return newest + 1000
        default: return -1
        }
    }

    /// By REST, by the socket that is in the call, or by any of the user's.
    private func bySocket(_ user: String, _ call: Call?) -> Actor {
        let device = device(of: user)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0, 1: return Actor(userID: user, deviceID: device)
        case 2: return Actor(userID: user, deviceID: device, session: socket(of: device))
        default:
            let session = call?.participant(user)?.session ?? socket(of: device)
            return Actor(userID: user, deviceID: call?.participant(user)?.deviceID ?? device, session: session)
        }
    }

    private func signal(_ kind: SignalKind, from user: String) -> Signal {
        let other = Self.users.filter { $0 != user }.randomElement(using: &generator)
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<11: return Signal(kind: kind, to: nil, payload: "null")
        case 11..<17: return Signal(kind: kind, to: other, payload: "null")
        case 17: return Signal(kind: kind, to: user, payload: "null")
        default: return Signal(kind: kind, to: "nobody", payload: "null")
        }
    }

    /// Two devices a user.
    private func device(of user: String) -> String { "\(user)\(chance(1, in: 2) ? 1 : 2)" }

    /// Two sockets a device.
    private func socket(of device: String) -> String { "\(device)\(chance(1, in: 2) ? "a" : "b")" }

    private func drawnNode() -> Int { Int.random(in: skews.indices, using: &generator) }

    /// Mostly the newest call of the room, sometimes one that may be long over.
    private func drawnCall() -> CallID? {
        (chance(9, in: 10) ? store.calls.last : store.calls.randomElement(using: &generator))?.id
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}

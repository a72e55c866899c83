import CallModel

extension ReferenceCall {
    mutating func join(_ user: String, _ actor: Actor, after: Int64?) throws(Refusal) -> Bool {
        if stage == .ended { throw Refusal("call_ended") }
        guard let place = places[user] else {
            throw Refusal(isGroup || stage == .ringing ? "not_answered" : "answered_elsewhere")
        }
        // Without a device it is the one that is in the call.
        if let device = actor.deviceID, device != place.device { throw Refusal("answered_elsewhere") }
        if let after, after < 0 || after > sequence { throw Refusal("invalid_request") }
        places[user]?.socket = actor.session
        places[user]?.keptUntil = nil
        if after == nil || place.sessionBegan == 0 {
            tell("user-joined", by: user, device: place.device, to: others(than: user))
            places[user]?.sessionBegan = sequence
        } else {
            tell("resumed", by: user, device: place.device)
        }
        if stage == .connecting, places.values.count(where: { $0.socket != nil }) == 2 { stage = .active }
        return true
    }

    mutating func leave(_ user: String, _ actor: Actor, at now: Int64) throws(Refusal) -> Bool {
        guard stage != .ended, let place = places[user] else { return false }
        if let socket = place.socket, let own = actor.session, socket != own { throw Refusal("not_joined") }
        depart(user, device: actor.deviceID ?? place.device, at: now)
        return true
    }

    mutating func lose(_ user: String, _ socket: String?, at now: Int64) -> Bool {
        guard let place = places[user], socket != nil, place.socket == socket else { return false }
        places[user]?.socket = nil
        places[user]?.keptUntil = now + policy.reconnectGrace
        tell("disconnected", by: user, device: place.device)
        return true
    }

    /// Only who is in has a say; if by a socket, by the one that has joined.
    func requirePlace(_ user: String, _ socket: String?) throws(Refusal) {
        if stage == .ended { throw Refusal("call_ended") }
        guard let place = places[user] else {
            if case .left = absences[user] { throw Refusal("not_joined") }
            throw Refusal("not_answered")
        }
        if let socket, socket != place.socket { throw Refusal("not_joined") }
    }

    func requireRecipient(of signal: Signal, from user: String) throws(Refusal) {
        guard let recipient = signal.to else { return }
        if recipient == user || !audience.contains(recipient) { throw Refusal("unknown_recipient") }
    }

    /// Something that is told to the others who have joined.
    mutating func speak(_ user: String, _ socket: String?, _ name: String) throws(Refusal) {
        try requirePlace(user, socket)
        tell(name, by: user, device: places[user]?.device, to: others(than: user))
    }

    mutating func signal(_ user: String, _ socket: String?, _ signals: [Signal]) throws(Refusal) -> Bool {
        try requirePlace(user, socket)
        for signal in signals { try requireRecipient(of: signal, from: user) }
        for signal in signals { pass(signal, from: user, device: places[user]?.device ?? "") }
        return !signals.isEmpty
    }

    /// Whether a signal reaches a joined socket now.
    func delivers(_ signal: Signal, from user: String) -> Bool { !others(than: user, only: signal.to).isEmpty }

    /// What has fallen due: first the ringing, then the connecting, then sockets that never came, then lost
    /// ones. Answers whether anything changed.
    mutating func pass(time now: Int64) -> Bool {
        told = []
        defer { settleRefusals() }
        guard let deadline, deadline <= now else { return false }
        if ending != nil {
            ending?.isPurged = true
            return true
        }
        if let ringsUntil, ringsUntil <= now {
            for user in rung {
                absences[user] = .missed
                tell("missed", by: user, to: others(than: user).union([.everySocket(of: user)]))
            }
            if stage == .ringing {
                finish("missed", by: nil, at: now)
                return true
            }
        }
        if let failsAt, failsAt <= now {
            finish("failed", by: nil, at: now)
            return true
        }
        for user in socketless where stage != .ended {
            guard let place = places[user], let awaitedUntil = awaitedUntil(user), awaitedUntil <= now else { continue }
            depart(user, device: place.device, at: now)
        }
        for user in audience where stage != .ended {
            guard let place = places[user], let keptUntil = place.keptUntil, keptUntil <= now else { continue }
            depart(user, device: place.device, at: now)
        }
        return true
    }
}

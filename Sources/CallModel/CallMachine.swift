/// The state machine: one action on one call at one moment. It decides and performs nothing.
struct CallMachine {
    var call: Call
    var events: [CallEvent] = []
    var changed = false
    var changedParticipants = false
    var purges = false
    let actor: Actor
    let now: Timestamp
    let policy: CallPolicy

    mutating func emit(_ kind: CallEventKind, by user: UserID?, device: DeviceID? = nil) {
        changed = true
        // 2^63 events are out of reach; wrapping instead of trapping keeps the promise that no input traps.
        call.sequence &+= 1
        events.append(CallEvent(sequence: call.sequence, kind: kind, at: now, userID: user, deviceID: device))
    }

    /// Changes one participant in place; does nothing for a user outside the call.
    mutating func update(_ user: UserID, _ change: (inout Participant) -> Void) {
        guard let index = call.participants.firstIndex(where: { $0.userID == user }) else { return }
        change(&call.participants[index])
        changed = true
        changedParticipants = true
    }

    /// The acting participant, who must be of the audience.
    func requireParticipant() throws(CallFailure) -> Participant {
        guard let participant = call.participant(actor.userID) else { throw .forbidden }
        return participant
    }

    /// The acting participant, who must hold a place in a call that goes on, with this very socket if it is one.
    func requirePresence() throws(CallFailure) -> Participant {
        let participant = try requireParticipant()
        guard call.state != .ended else { throw .callEnded(call) }
        guard participant.state.isPresent else {
            throw participant.state == .left ? .notJoined : .notAnswered
        }
        if let session = actor.session, participant.session != session { throw .notJoined }
        return participant
    }

    /// Ends the call and closes everybody's part in it.
    mutating func finish(_ reason: EndReason, by user: UserID?, device: DeviceID? = nil) {
        changedParticipants = true
        call.state = .ended
        call.endedAt = now
        call.endReason = reason
        call.endedBy = user
        call.ringDeadline = nil
        call.connectDeadline = nil
        call.purgeDeadline = now.advanced(byMilliseconds: policy.signalRetention)
        for index in call.participants.indices {
            call.participants[index].session = nil
            call.participants[index].graceDeadline = nil
            if call.participants[index].state.isPresent {
                call.participants[index].state = .left
                call.participants[index].leftAt = now
            } else if call.participants[index].state.isRinging {
                call.participants[index].state = .missed
            }
        }
        emit(.ended(reason), by: user, device: device)
    }

    /// What came of it, as a change of the version that it began from.
    consuming func transition(from version: Int64) -> CallTransition {
        if call.state == .active { call.connectDeadline = call.participants.compactMap(socketDeadline).min() }
        if changed {
            // What a room is told of is written with a change of the call.
            let appends =
                !call.isInRoom
                && CallTransition.appends(
                    events,
                    changesParticipants: changedParticipants,
                    purgesSignals: purges
                )
            call.version = appends ? version : version &+ 1
        }
        return CallTransition(
            call: call,
            previousVersion: version,
            events: events,
            changesParticipants: changedParticipants,
            purgesSignals: purges
        )
    }

    /// Takes a participant out, and ends the call if too few remain.
    mutating func depart(_ user: UserID, device: DeviceID?) {
        update(user) { [now] participant in
            participant.state = .left
            participant.leftAt = now
            participant.session = nil
            participant.graceDeadline = nil
        }
        emit(.left, by: user, device: device)
        let remaining = call.present.count
        if call.state == .ringing, remaining == 0 {
            finish(.cancelled, by: user, device: device)
        } else if call.state != .ringing, remaining == 0 || (!call.isGroup && remaining < 2) {
            finish(.left, by: user, device: device)
        }
    }
}

extension Call {
    /// Applies one action at one moment. Nothing happens but in the value that comes back.
    public func applying(
        _ action: CallAction,
        by actor: Actor,
        now: Timestamp,
        policy: CallPolicy
    ) throws(CallFailure) -> CallTransition {
        var machine = CallMachine(call: self, actor: actor, now: now, policy: policy)
        switch action {
        case .ring: try machine.ring()
        case .answer(let description): try machine.answer(description)
        case .reject(let reason): try machine.reject(reason)
        case .end(let reason): try machine.end(reason)
        case .join(let after): try machine.join(after: after)
        case .leave: try machine.leave()
        case .disconnect: machine.disconnect()
        case .toggleAudio(let enabled): try machine.toggleAudio(enabled)
        case .toggleVideo(let enabled): try machine.toggleVideo(enabled)
        case .changeMedia(let state): try machine.changeMedia(state)
        case .signal(let signals): try machine.pass(signals)
        case .relayAllocated: try machine.note(.relayAllocated)
        case .relayReleased(let end, let bytes): try machine.note(.relayReleased(end, bytes: bytes))
        case .roomEventUndelivered(let type, let reason):
            try machine.note(.roomEventUndelivered(type: type, reason: reason))
        }
        return machine.transition(from: version)
    }

    /// Applies what time alone brings: ring, connect and grace deadlines, and the end of the signals' keeping.
    public func advanced(to now: Timestamp, policy: CallPolicy) -> CallTransition {
        var machine = CallMachine(call: self, actor: Actor(userID: ""), now: now, policy: policy)
        machine.advance()
        return machine.transition(from: version)
    }
}

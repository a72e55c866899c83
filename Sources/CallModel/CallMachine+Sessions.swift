extension CallMachine {
    mutating func join(after: Int64?) throws(CallFailure) {
        let participant = try requireParticipant()
        guard call.state != .ended else { throw .callEnded(call) }
        guard participant.state.isPresent else {
            throw !call.isGroup && call.state != .ringing ? .answeredElsewhere : .notAnswered
        }
        // A socket that names no device joins as the device that is in the call: it says nothing of being another.
        let device = actor.deviceID ?? participant.deviceID ?? "default"
        guard device == participant.deviceID else { throw .answeredElsewhere }
        guard let session = actor.session else { throw .notJoined }
        if let after {
            guard after >= 0, after <= call.sequence else { throw .invalid(detail: "afterSeq is not of this call.") }
        }
        let isFirst = participant.sessionSequence == 0
        update(participant.userID) {
            $0.state = .joined
            $0.session = session
            $0.graceDeadline = nil
        }
        if after == nil || isFirst {
            emit(.joined, by: participant.userID, device: device)
            let sequence = call.sequence
            update(participant.userID) { $0.sessionSequence = sequence }
        } else {
            emit(.resumed, by: participant.userID, device: device)
        }
        if call.state == .connecting, call.participants.count(where: { $0.session != nil }) >= 2 {
            call.state = .active
        }
    }

    mutating func leave() throws(CallFailure) {
        let participant = try requireParticipant()
        guard call.state != .ended, participant.state.isPresent else { return }
        // Another tab of the user is not the one that is in the call, unless nobody is in by a socket yet.
        if let session = actor.session, let present = participant.session, present != session { throw .notJoined }
        depart(participant.userID, device: actor.deviceID ?? participant.deviceID)
    }

    /// A session that was replaced, or a call that ended meanwhile, leaves nothing to do.
    mutating func disconnect() {
        guard call.state != .ended, let participant = call.participant(actor.userID), participant.state == .joined,
            let session = actor.session, participant.session == session
        else { return }
        update(participant.userID) { [now, policy] in
            $0.state = .reconnecting
            $0.session = nil
            $0.graceDeadline = now.advanced(byMilliseconds: policy.reconnectGrace)
        }
        emit(.disconnected, by: participant.userID, device: participant.deviceID)
    }
}

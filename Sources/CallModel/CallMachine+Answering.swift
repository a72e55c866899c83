extension CallMachine {
    mutating func ring() throws(CallFailure) {
        let participant = try requireParticipant()
        guard call.state != .ended, participant.state == .invited else { return }
        update(participant.userID) { $0.state = .ringing }
        emit(.ringing, by: participant.userID, device: actor.deviceID)
    }

    mutating func answer(_ description: Signal?) throws(CallFailure) {
        let participant = try requireParticipant()
        guard call.state != .ended else { throw .callEnded(call) }
        let device = actor.deviceID ?? "default"
        if participant.state.isPresent {
            guard participant.deviceID == device else { throw .answeredElsewhere }
            return
        }
        if call.isGroup {
            guard call.present.count < policy.maximumParticipants else { throw .callFull }
        } else {
            guard call.state == .ringing else { throw .answeredElsewhere }
        }
        if let recipient = description?.to { try requireRecipient(recipient) }
        take(participant.userID, device: device)
        emit(.answered, by: participant.userID, device: device)
        if let description { emit(.signal(description), by: participant.userID, device: device) }
    }

    /// Gives the user a place, and in a 1:1 call takes it from everybody whom it still rings for.
    private mutating func take(_ user: UserID, device: DeviceID) {
        update(user) { [now] participant in
            participant.state = .joined
            participant.deviceID = device
            participant.joinedAt = now
            participant.leftAt = nil
            participant.session = nil
            participant.sessionSequence = 0
        }
        if call.state == .ringing {
            call.state = .connecting
            call.answeredAt = now
            call.connectDeadline = now.advanced(byMilliseconds: policy.connectTimeout)
        }
        if !call.isGroup {
            for index in call.participants.indices where call.participants[index].state.isRinging {
                call.participants[index].state = .missed
            }
        }
        stopRingingIfNobodyIsLeft()
    }

    mutating func reject(_ reason: EndReason?) throws(CallFailure) {
        let participant = try requireParticipant()
        if call.state == .ringing, participant.userID == call.createdBy { return try end(reason) }
        guard call.state != .ended, participant.state.isRinging else { return }
        refuse(participant, reason)
    }

    mutating func end(_ reason: EndReason?) throws(CallFailure) {
        let participant = try requireParticipant()
        guard call.state != .ended else { return }
        if participant.state.isRinging { return refuse(participant, reason) }
        // A group call is its creator's to end, who may have left it by then.
        let isCreatorOfGroup = call.isGroup && participant.userID == call.createdBy
        guard participant.state.isPresent || isCreatorOfGroup else { return }
        let device = actor.deviceID ?? participant.deviceID
        if call.state == .ringing {
            finish(.cancelled, by: participant.userID, device: device)
        } else if call.isGroup, participant.userID != call.createdBy {
            depart(participant.userID, device: device)
        } else {
            finish(reason == .failed ? .failed : .hangup, by: participant.userID, device: device)
        }
    }

    /// One of those it rings for says no; the last of them ends the call.
    private mutating func refuse(_ participant: Participant, _ reason: EndReason?) {
        update(participant.userID) { [now] in
            $0.state = .rejected
            $0.leftAt = now
        }
        emit(.rejected, by: participant.userID, device: actor.deviceID)
        if call.state == .ringing, !call.participants.contains(where: \.state.isRinging) {
            finish(reason == .busy ? .busy : .rejected, by: participant.userID, device: actor.deviceID)
        } else {
            stopRingingIfNobodyIsLeft()
        }
    }

    /// An answered call's ring deadline stands as long as it rings for somebody.
    mutating func stopRingingIfNobodyIsLeft() {
        if call.state != .ringing, !call.participants.contains(where: \.state.isRinging) { call.ringDeadline = nil }
    }
}

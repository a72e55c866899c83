extension CallMachine {
    mutating func advance() {
        if call.state == .ended {
            if isDue(call.purgeDeadline) {
                call.purgeDeadline = nil
                purges = true
                changed = true
            }
            return
        }
        if isDue(call.ringDeadline) {
            call.ringDeadline = nil
            changed = true
            for user in call.participants.filter(\.state.isRinging).map(\.userID) {
                update(user) { $0.state = .missed }
                emit(.missed, by: user)
            }
            if call.state == .ringing { return finish(.missed, by: nil) }
        }
        if call.state == .connecting, isDue(call.connectDeadline) { return finish(.failed, by: nil) }
        // A server that was started anew with a longer timeout finds a deadline due and nobody to whom it applies yet: the
        // change makes a new one.
        if call.state == .active, isDue(call.connectDeadline) { changed = true }
        for participant in call.participants where isDue(socketDeadline(of: participant)) {
            depart(participant.userID, device: participant.deviceID)
        }
        for participant in call.participants where isDue(participant.graceDeadline) {
            depart(participant.userID, device: participant.deviceID)
            if call.state == .ended { return }
        }
    }

    /// Until when an active call keeps the place of somebody whom no socket has joined yet. Without it, whoever answered
    /// a group call and never came would be in it for ever, and the room would never be free again.
    func socketDeadline(of participant: Participant) -> Timestamp? {
        guard call.state == .active, participant.state.isPresent, participant.sessionSequence == 0,
            let joinedAt = participant.joinedAt, let answeredAt = call.answeredAt
        else { return nil }
        return max(joinedAt, answeredAt).advanced(byMilliseconds: policy.connectTimeout)
    }

    private func isDue(_ deadline: Timestamp?) -> Bool {
        deadline.map { $0 <= now } ?? false
    }
}

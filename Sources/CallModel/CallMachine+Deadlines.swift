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
        if isDue(call.connectDeadline) { return finish(.failed, by: nil) }
        for participant in call.participants where isDue(participant.graceDeadline) {
            depart(participant.userID, device: participant.deviceID)
            if call.state == .ended { return }
        }
    }

    private func isDue(_ deadline: Timestamp?) -> Bool {
        deadline.map { $0 <= now } ?? false
    }
}

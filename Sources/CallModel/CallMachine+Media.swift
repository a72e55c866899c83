extension CallMachine {
    /// Told even if it was so before: who says it again may have reason to think that it was not heard.
    mutating func toggleAudio(_ enabled: Bool) throws(CallFailure) {
        let participant = try requirePresence()
        update(participant.userID) { $0.audioEnabled = enabled }
        emit(.audioToggled(enabled: enabled), by: participant.userID, device: participant.deviceID)
    }

    mutating func toggleVideo(_ enabled: Bool) throws(CallFailure) {
        let participant = try requirePresence()
        update(participant.userID) { $0.videoEnabled = enabled }
        emit(.videoToggled(enabled: enabled), by: participant.userID, device: participant.deviceID)
    }

    mutating func changeMedia(_ state: MediaState) throws(CallFailure) {
        let participant = try requirePresence()
        guard state != MediaState() else {
            throw .invalid(detail: "media-state names none of onHold, screenShare and callType.")
        }
        if let callType = state.callType { call.callType = callType }
        emit(.mediaState(state), by: participant.userID, device: participant.deviceID)
    }

    mutating func pass(_ signals: [Signal]) throws(CallFailure) {
        let participant = try requirePresence()
        for signal in signals {
            if let recipient = signal.to { try requireRecipient(recipient) }
        }
        for signal in signals {
            emit(.signal(signal), by: participant.userID, device: participant.deviceID)
        }
    }

    func requireRecipient(_ user: UserID) throws(CallFailure) {
        guard user != actor.userID, call.participant(user) != nil else { throw .unknownRecipient }
    }
}

extension Call {
    /// Whether a signal of `user` reaches a joined socket now; otherwise it is kept for whoever joins.
    public func delivers(_ signal: Signal, from user: UserID) -> Bool {
        participants.contains { participant in
            participant.session != nil && participant.userID != user
                && (signal.to == nil || signal.to == participant.userID)
        }
    }
}

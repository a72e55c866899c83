extension CallMachine {
    /// Writes down what somebody else knows of a participant: that a relay allocation began or ended, that the room was not told.
    /// It changes nothing else, and unlike every other act it may come after the end: the call's end is what ends its
    /// allocations, and the room hears of it later.
    mutating func note(_ kind: CallEventKind) throws(CallFailure) {
        let participant = try requireParticipant()
        // Which of the user's devices it is, nobody knows.
        emit(kind, by: participant.userID)
    }
}

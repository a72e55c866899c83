extension CallMachine {
    /// Writes down that a participant's relay allocation began or ended. It changes nothing else, and unlike every other
    /// act it may come after the end: the call's end is what ends its allocations.
    mutating func noteRelay(_ kind: CallEventKind) throws(CallFailure) {
        let participant = try requireParticipant()
        // Which of the user's devices it is, the relay does not know.
        emit(kind, by: participant.userID)
    }
}

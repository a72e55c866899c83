import CallModel

/// A call as its participants can see it, and when time will change it: what the state machine and the reference are
/// compared by, in words of the API.
struct CallPicture: Equatable {
    struct Person: Equatable {
        let user: String
        let state: String
        let device: String?
        let socket: String?
        let audio: Bool
        let video: Bool
        let joinedAt: Int64?
        let leftAt: Int64?
    }

    let state: String
    let callType: CallType
    let sequence: Int64
    let answeredAt: Int64?
    let endedAt: Int64?
    let endReason: String?
    let endedBy: String?
    let deadline: Int64?
    let people: [Person]
}

extension CallPicture {
    init(_ call: Call) {
        state = call.state.rawValue
        callType = call.callType
        sequence = call.sequence
        answeredAt = call.answeredAt?.milliseconds
        endedAt = call.endedAt?.milliseconds
        endReason = call.endReason?.rawValue
        endedBy = call.endedBy
        deadline = call.nextDeadline?.milliseconds
        people = call.participants.map { participant in
            Person(
                user: participant.userID,
                state: participant.state.rawValue,
                device: participant.deviceID,
                socket: participant.session,
                audio: participant.audioEnabled,
                video: participant.videoEnabled,
                joinedAt: participant.joinedAt?.milliseconds,
                // The documents say nothing of when somebody "left" who was never in.
                leftAt: participant.state == .rejected ? nil : participant.leftAt?.milliseconds
            )
        }
    }

    /// What differs, in a line each.
    func differences(from other: CallPicture) -> String {
        var lines: [String] = []
        func note(_ name: String, _ own: some Equatable, _ theirs: some Equatable) {
            let (left, right) = ("\(own)", "\(theirs)")
            if left != right { lines.append("\(name): \(left) instead of \(right)") }
        }
        note("state", state, other.state)
        note("call type", callType, other.callType)
        note("sequence", sequence, other.sequence)
        note("answered at", answeredAt, other.answeredAt)
        note("ended at", endedAt, other.endedAt)
        note("end reason", endReason, other.endReason)
        note("ended by", endedBy, other.endedBy)
        note("next deadline", deadline, other.deadline)
        for (own, theirs) in zip(people, other.people) { note(own.user, own, theirs) }
        note("participants", people.count, other.people.count)
        return lines.joined(separator: "; ")
    }
}

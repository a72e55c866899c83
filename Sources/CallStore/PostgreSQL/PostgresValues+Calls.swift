import CallModel
import Postgres

extension PostgresValues {
    /// $1 to $18 of a commit.
    mutating func append(_ commit: CallCommit) {
        let transition = commit.transition
        append(transition.call.id.rawValue)
        append(transition.previousVersion)
        let before = commit.previousSequence
        append(before)
        let events = transition.events
        append(Int64(events.count))
        append(numbers: events) { $0.sequence - before }
        append(texts: events) { $0.kind.name }
        append(texts: events) { $0.kind.detail }
        append(texts: events) { $0.userID }
        append(texts: events) { $0.deviceID }
        append(texts: events) { event in
            if case .signal(let signal) = event.kind { signal.to } else { nil }
        }
        append(numbers: events) { $0.kind.size }
        append(numbers: events) { $0.at.milliseconds }
        append(numbers: commit.outgoing) { $0.sequence - before }
        append(texts: commit.outgoing) { $0.name }
        append(texts: commit.outgoing) { $0.scope.rawValue }
        append(texts: commit.outgoing) { $0.sender }
        append(texts: commit.outgoing) { $0.recipient }
        append(texts: commit.outgoing) { $0.body }
    }

    /// $19 to $28.
    mutating func append(forOthers commit: CallCommit) {
        let notices = commit.notices
        append(numbers: notices) { $0.sequence }
        append(texts: notices) { $0.id }
        append(texts: notices) { $0.payload }
        let events = commit.roomEvents
        append(numbers: events) { $0.sequence }
        append(numbers: events) { Int64($0.part) }
        append(texts: events) { $0.type }
        append(texts: events) { $0.sender }
        append(texts: events) { $0.content }
        append(texts: events) { $0.transactionID }
        append(numbers: events) { $0.expiresAt.milliseconds }
    }

    /// $29 to $38.
    mutating func append(changeable call: Call) {
        append(call.callType.rawValue)
        append(call.state.rawValue)
        append(call.answeredAt?.milliseconds)
        append(call.endedAt?.milliseconds)
        append(call.endReason?.rawValue)
        append(call.endedBy)
        append(call.ringDeadline?.milliseconds)
        append(call.connectDeadline?.milliseconds)
        append(call.purgeDeadline?.milliseconds)
        append(call.nextDeadline?.milliseconds)
    }

    /// $39 to $48.
    mutating func append(_ participants: [Participant]) {
        append(texts: participants) { $0.userID }
        append(texts: participants) { $0.deviceID }
        append(texts: participants) { $0.state.rawValue }
        append(booleans: participants) { $0.audioEnabled }
        append(booleans: participants) { $0.videoEnabled }
        append(numbers: participants) { $0.joinedAt?.milliseconds }
        append(numbers: participants) { $0.leftAt?.milliseconds }
        append(texts: participants) { $0.session }
        append(numbers: participants) { $0.sessionSequence }
        append(numbers: participants) { $0.graceDeadline?.milliseconds }
    }

    /// $49 to $53.
    mutating func append(fixed call: Call) {
        append(call.roomID)
        append(call.isGroup)
        append(call.isRelayOnly)
        append(call.createdBy)
        append(call.createdAt.milliseconds)
    }
}

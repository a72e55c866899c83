public import CallModel
public import SocketIO

extension Call {
    /// The one JSON form of a call, in REST answers and events alike.
    public var json: JSONText { .object(jsonMembers) }

    /// The members of `json` in their order, for answers that add to them.
    public var jsonMembers: [(String, JSONText?)] {
        [
            ("callId", .string(id.rawValue)),
            ("roomId", .string(roomID)),
            ("callType", .string(callType.rawValue)),
            ("group", .boolean(isGroup)),
            ("state", .string(state.rawValue)),
            ("createdBy", .string(createdBy)),
            ("createdAt", createdAt.json),
            ("answeredAt", answeredAt?.json),
            ("endedAt", endedAt?.json),
            ("endReason", endReason.map { .string($0.rawValue) }),
            ("endedBy", endedBy.map(JSONText.string)),
            ("seq", .integer(sequence)),
            ("participants", participantsJSON),
        ]
    }

    /// The participants alone, as `user-joined` and `user-left` carry them.
    public var participantsJSON: JSONText { .array(participants.map(\.json)) }
}

extension Participant {
    /// The one JSON form of a participant.
    public var json: JSONText {
        .object([
            ("userId", .string(userID)),
            ("deviceId", deviceID.map(JSONText.string)),
            ("state", .string(state.rawValue)),
            ("audioEnabled", .boolean(audioEnabled)),
            ("videoEnabled", .boolean(videoEnabled)),
            ("joinedAt", joinedAt?.json),
            ("leftAt", leftAt?.json),
            ("relay", relay?.json),
        ])
    }
}

extension RelayUse {
    /// `{bytesSent, bytesReceived}`.
    public var json: JSONText {
        .object([("bytesSent", .integer(bytesSent)), ("bytesReceived", .integer(bytesReceived))])
    }
}

extension Timestamp {
    /// RFC 3339 as a JSON string.
    public var json: JSONText { .string(rfc3339) }
}

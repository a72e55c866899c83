public import CallModel
public import Signaling
public import SocketIO

/// The answer to initiate and answer: the call's members and the ICE members in one object.
public struct CallAdmission: Sendable {
    /// The call as it is now.
    public let call: Call
    /// The servers for the asking user.
    public let ice: ICEConfiguration
    /// Whether the call was placed by this request (201) or had been there (200).
    public let isNew: Bool
    /// What the asking client is to encrypt and send to the room, if that is how the room is told.
    var invitation: RoomEvent?

    /// `{callId, …, participants, iceServers, iceTransportPolicy, ttl, expiresAt, roomEvent?}`.
    public var json: JSONText {
        .object(call.jsonMembers + ice.jsonMembers + [("roomEvent", invitation.map(Self.json))])
    }

    /// `{type, content, transactionId}`.
    private static func json(_ event: RoomEvent) -> JSONText {
        .object([
            ("type", .string(event.type)), ("content", try? JSONText(validating: event.content)),
            ("transactionId", .string(event.transactionID)),
        ])
    }
}

/// The answer to an offer, an answer or candidates.
public struct SignalReceipt: Sendable {
    /// Whether a joined socket was there to take it; otherwise it is kept for whoever joins.
    public let isDelivered: Bool
    /// The number of the (last) event that it became.
    public let sequence: Int64

    /// The same after `count` more events.
    func renumbered(by count: Int64) -> SignalReceipt {
        SignalReceipt(isDelivered: isDelivered, sequence: sequence + count)
    }

    /// `{delivered, seq}`.
    public var json: JSONText { .object([("delivered", .boolean(isDelivered)), ("seq", .integer(sequence))]) }
}

/// One page of a list.
public struct Page: Sendable {
    /// The items' JSON forms.
    public let items: [JSONText]
    /// Where the next page begins; `nil` on the last.
    public let nextCursor: String?

    /// `{items, nextCursor?}`.
    public var json: JSONText {
        .object([("items", .array(items)), ("nextCursor", nextCursor.map(JSONText.string))])
    }
}

/// The answer to `join-call`.
public struct JoinOutcome: Sendable {
    /// The call as it is now.
    public let call: Call
    /// The servers for the joining user.
    public let ice: ICEConfiguration
    /// Who is in the call, and whether the joining side is the polite one towards each.
    public let peers: [(userID: UserID, polite: Bool)]
    /// What a resuming client missed.
    public let missed: [OutgoingEvent]

    /// `{ok, call, iceServers, iceTransportPolicy, ttl, expiresAt, peers, missed}`.
    public var json: JSONText {
        let head: [(String, JSONText?)] = [("ok", true), ("call", call.json)]
        let tail: [(String, JSONText?)] = [
            (
                "peers",
                .array(peers.map { .object([("userId", .string($0.userID)), ("polite", .boolean($0.polite))]) })
            ),
            ("missed", .array(missed.map(\.replayJSON))),
        ]
        return .object(head + ice.jsonMembers + tail)
    }
}

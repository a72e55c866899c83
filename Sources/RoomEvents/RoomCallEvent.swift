public import CallModel
public import SocketIO

/// What a client of the homeserver says of a call in its room (Matrix client-server API, VoIP module), read leniently: clients write
/// more and less than the specification.
public struct RoomCallEvent: Sendable {
    /// What is said.
    public enum Kind: Sendable {
        /// Calls: the offer, a JSON object; for whom, if for one alone; for how many milliseconds it rings.
        case invite(offer: JSONText, isVideo: Bool, invitee: UserID?, lifetime: Int64)
        /// Says which of those who answered it is.
        case selectAnswer(party: String)
        /// Takes the call; the description, a JSON object.
        case answer(JSONText)
        /// Candidates, each a JSON object.
        case candidates([JSONText])
        /// A further offer or answer, a JSON object.
        case negotiate(SignalKind, JSONText)
        /// Says no.
        case reject
        /// Hangs up, for the reason given.
        case hangup(reason: String?)
        /// Switched microphone or camera, as far as it is said.
        case muted(audio: Bool?, video: Bool?)
    }

    /// The call, as the room knows it.
    public let callID: String
    /// Which of the sender's devices it is.
    public let partyID: String
    /// Whether it speaks the specification's first version, in which a callee's hangup is the refusal.
    public let isOfVersionZero: Bool
    /// What is said.
    public let kind: Kind

    /// Types of events that are read.
    public static let types: Set = [
        "m.call.invite", "m.call.select_answer", "m.call.answer", "m.call.candidates", "m.call.negotiate",
        "m.call.reject", "m.call.hangup",
        "m.call.sdp_stream_metadata_changed", "org.matrix.call.sdp_stream_metadata_changed",
    ]

    /// Candidates of one event that are read.
    private static let candidateLimit = CallLimits.candidatesPerBatch

    /// Reads an event's content; `nil` if it says nothing that is understood.
    public init?(type: String, content: JSONText) {
        guard let callID = content["call_id"]?.stringValue, let kind = Self.kind(type, content) else { return nil }
        let party = content["party_id"]?.stringValue ?? ""
        guard party.utf8.count <= RoomSide.partyLength, !party.utf8.contains(0) else { return nil }
        self.callID = callID
        partyID = party
        self.kind = kind
        let version = content["version"]
        isOfVersionZero = version?.integerValue == 0 || version?.stringValue == "0"
    }

    private static func kind(_ type: String, _ content: JSONText) -> Kind? {
        switch type {
        case "m.call.invite": invite(content)
        case "m.call.select_answer": content["selected_party_id"]?.stringValue.map(Kind.selectAnswer)
        case "m.call.answer": content["answer"].flatMap { description($0, "answer") }.map(Kind.answer)
        case "m.call.negotiate": content["description"].flatMap(negotiation)
        case "m.call.candidates": candidates(content["candidates"])
        case "m.call.reject": .reject
        case "m.call.hangup": .hangup(reason: content["reason"]?.stringValue)
        case "m.call.sdp_stream_metadata_changed", "org.matrix.call.sdp_stream_metadata_changed": muted(content)
        default: nil
        }
    }

    /// Group calls' own invites, which name a conference, are none.
    private static func invite(_ content: JSONText) -> Kind? {
        guard content["conf_id"] == nil, let offer = content["offer"].flatMap({ description($0, "offer") }),
            let lifetime = content["lifetime"]?.integerValue, lifetime > 0
        else { return nil }
        let invitee = content["invitee"]
        guard invitee == nil || invitee?.kind == .string else { return nil }
        let hasPicture = offer["sdp"]?.stringValue.flatMap(SessionDescription.init)?.streams.contains(where: \.hasVideo)
        return .invite(
            offer: offer,
            isVideo: hasPicture == true,
            invitee: invitee?.stringValue,
            lifetime: Int64(lifetime)
        )
    }

    /// The two members that a description has, and nothing else that stands there.
    private static func description(_ json: JSONText, _ type: String) -> JSONText? {
        guard let sdp = json["sdp"]?.stringValue, sdp.utf8.count <= CallLimits.descriptionSize / 2 else { return nil }
        return .object([("type", .string(type)), ("sdp", .string(sdp))])
    }

    private static func negotiation(_ json: JSONText) -> Kind? {
        guard let type = json["type"]?.stringValue, let kind = SignalKind(rawValue: type), kind.isDescription else {
            return nil
        }
        return description(json, type).map { .negotiate(kind, $0) }
    }

    private static func candidates(_ json: JSONText?) -> Kind? {
        guard let elements = json?.elements(limit: candidateLimit) else { return nil }
        let candidates = elements.compactMap(candidate)
        return candidates.isEmpty ? nil : .candidates(candidates)
    }

    /// The members that a candidate has, and nothing else that stands there.
    private static func candidate(_ json: JSONText) -> JSONText? {
        guard json.byteCount <= CallLimits.candidateSize, json["candidate"]?.kind == .string else { return nil }
        return .object(["candidate", "sdpMid", "sdpMLineIndex", "usernameFragment"].map { ($0, json[$0]) })
    }

    /// Of streams of a user's own devices, not of screens.
    private static func muted(_ content: JSONText) -> Kind? {
        let metadata = content["sdp_stream_metadata"] ?? content["org.matrix.msc3077.sdp_stream_metadata"]
        let streams = (metadata?.members(limit: 16) ?? []).map(\.value)
        guard let own = streams.first(where: { $0["purpose"]?.stringValue == "m.usermedia" }) else { return nil }
        return .muted(audio: own["audio_muted"]?.booleanValue, video: own["video_muted"]?.booleanValue)
    }
}

public import CallModel
import SocketIO

extension CallTransition {
    /// What the call's room is told of this, in order.
    ///
    /// A call of two is told in the words of the Matrix specification (VoIP module, version 1): the invite, which of the callee's
    /// devices took it, a refusal, the end. Each is told at most once. Nothing that the media are found by goes into the room, unless
    /// one of the two takes part there: then descriptions, relayed candidates and mutes do, too. Any other call is told of in one
    /// line of text.
    ///
    /// `streams` tells what users were last heard to send; `nil` of whoever has not described anything yet.
    public func roomEvents(
        _ announcement: RoomAnnouncement,
        policy: CallPolicy,
        streams: (UserID) -> [SessionDescription.Stream]? = { _ in nil },
        using generator: inout some RandomNumberGenerator
    ) -> [RoomEvent] {
        guard announcement != .none else { return [] }
        var composed: [RoomEvent] = []
        for event in events {
            // Whoever is in the room speaks for themselves.
            for draft in drafts(of: event, announcement, streams, &generator)
            where call.participant(draft.sender)?.roomParty == nil {
                let part = composed.count { $0.sequence == event.sequence }
                composed.append(draft.event(of: event, part: part, in: call, policy))
            }
        }
        return composed
    }

    private func drafts(
        of event: CallEvent,
        _ announcement: RoomAnnouncement,
        _ streams: (UserID) -> [SessionDescription.Stream]?,
        _ generator: inout some RandomNumberGenerator
    ) -> [Draft] {
        guard call.isOfTwo || call.isInRoom else {
            return event.kind == .initiated ? [.notice(of: call)] : []
        }
        let caller = CallParty(call.createdBy, in: call)
        if event.isOfRoom {
            // Who answered there, and that all others who ring there may stop, is the caller's to say.
            let isRefusal = event.kind == .ended(.rejected) || event.kind == .ended(.busy)
            guard event.kind == .answered || isRefusal else { return [] }
        }
        switch event.kind {
        case .initiated:
            return [call.invite(announcement == .withOffer ? callersOffer : nil, &generator)]
        case .answered:
            // By this the callee's other devices stop ringing.
            guard let user = event.userID else { return [] }
            let chosen = JSONText.string(call.participant(user)?.roomParty ?? CallParty(user, in: call).id)
            return [Draft("m.call.select_answer", by: caller, in: call, [("selected_party_id", chosen)])]
        case .rejected:
            guard let user = event.userID else { return [] }
            return [Draft("m.call.reject", by: CallParty(user, in: call), in: call)]
        case .ended(let reason):
            // A callee's own hangup would not be heard by the callee's other devices, which still ring.
            let isAnswered = call.answeredAt != nil
            let ending = isAnswered ? event.userID ?? whoeverIsHere : call.createdBy
            let side = CallParty(ending, in: call)
            return [Draft("m.call.hangup", by: side, in: call, [("reason", .string(reason.inRoom))])]
        case .signal(let signal):
            return event.userID.flatMap { passed(signal, from: $0, isFirst: streams($0) == nil) }.map { [$0] } ?? []
        case .audioToggled, .videoToggled:
            return event.userID.flatMap { muted($0, streams($0) ?? []) }.map { [$0] } ?? []
        case .ringing, .missed, .joined, .resumed, .disconnected, .left, .mediaState, .relayAllocated, .relayReleased,
            .roomEventUndelivered:
            return []
        }
    }

    /// A description or candidate for whoever takes part in the room. Of candidates only relayed ones, which tell no address but the
    /// relay's: a room keeps what it was told.
    private func passed(_ signal: Signal, from user: UserID, isFirst: Bool) -> Draft? {
        guard call.isInRoom, let payload = try? JSONText(validating: signal.payload) else { return nil }
        let party = CallParty(user, in: call)
        guard signal.kind != .candidate else {
            let isObject = payload.kind == .object
            let line = (isObject ? payload["candidate"]?.stringValue : payload.stringValue) ?? ""
            guard line.isEmpty || line.contains(" typ relay") else { return nil }
            let candidate: [(String, JSONText?)] = [
                ("candidate", .string(Self.withoutRelatedAddress(line))),
                ("sdpMid", isObject ? payload["sdpMid"] : nil),
                ("sdpMLineIndex", isObject ? payload["sdpMLineIndex"] : nil),
            ]
            return Draft("m.call.candidates", by: party, in: call, [("candidates", .array([.object(candidate)]))])
                .repeatable
        }
        guard let sdp = payload["sdp"]?.stringValue, let text = SessionDescription.withoutAddresses(sdp) else {
            return nil
        }
        let metadata = SessionDescription(sdp).map { call.metadata(of: $0.streams, user) }
        let description = JSONText.object([("type", .string(signal.kind.rawValue)), ("sdp", .string(text))])
        let streams: [(String, JSONText?)] = [
            ("sdp_stream_metadata", metadata), ("org.matrix.msc3077.sdp_stream_metadata", metadata),
        ]
        if signal.kind == .answer, isFirst, user != call.createdBy {
            // The invite's.
            return Draft("m.call.answer", by: party, in: call, [("answer", description)] + streams)
        }
        let members = [("description", description), ("lifetime", .integer(Draft.momentary))] + streams
        return Draft("m.call.negotiate", by: party, in: call, members).repeatable
    }

    /// A candidate without the address that it was gathered from, which for a relayed one is the client's own (RFC 8839 §5.1).
    private static func withoutRelatedAddress(_ candidate: String) -> String {
        var words = candidate.split(separator: " ")
        for index in words.indices.dropLast() {
            if words[index] == "raddr" { words[index + 1] = "0.0.0.0" }
            if words[index] == "rport" { words[index + 1] = "0" }
        }
        return words.joined(separator: " ")
    }

    /// What of a user's streams is switched off, for whoever takes part in the room.
    private func muted(_ user: UserID, _ streams: [SessionDescription.Stream]) -> Draft? {
        guard call.isInRoom, !streams.isEmpty else { return nil }
        let metadata = call.metadata(of: streams, user)
        return Draft(
            "m.call.sdp_stream_metadata_changed",
            by: CallParty(user, in: call),
            in: call,
            [("sdp_stream_metadata", metadata), ("org.matrix.msc3077.sdp_stream_metadata", metadata)]
        ).repeatable
    }

    /// For whom what time brings about is told: the caller, unless it is somebody in the room.
    private var whoeverIsHere: UserID {
        call.participants.first { $0.roomParty == nil && $0.joinedAt != nil }?.userID ?? call.createdBy
    }

    /// The offer that the call was placed with, if a room's clients could take it.
    private var callersOffer: SessionDescription? {
        for event in events {
            guard case .signal(let signal) = event.kind, signal.kind == .offer else { continue }
            let payload = try? JSONText(validating: signal.payload)
            return (payload?["sdp"]?.stringValue).flatMap(SessionDescription.init)
        }
        return nil
    }
}

/// An event that does not have its place yet.
private struct Draft {
    let type: String
    let sender: UserID
    let content: JSONText

    /// Whether there may be more of its type from its sender.
    private var isRepeatable = false

    /// Milliseconds for which an event is worth sending. An invite is worth it as long as the call rings.
    private static let lifetime: Int64 = 600_000
    /// The same of what belongs to a moment of the call.
    static let momentary: Int64 = 60_000

    /// The same, of which there may be more.
    var repeatable: Draft {
        var draft = self
        draft.isRepeatable = true
        return draft
    }

    init(_ type: String, by party: CallParty, in call: Call, _ members: [(String, JSONText?)] = []) {
        self.type = type
        sender = party.userID
        let common: [(String, JSONText?)] = [
            ("version", "1"), ("call_id", .string(call.id.rawValue)), ("party_id", .string(party.id)),
        ]
        content = .object(common + members)
    }

    private init(_ type: String, by sender: UserID, _ content: JSONText) {
        self.type = type
        self.sender = sender
        self.content = content
    }

    static func notice(of call: Call) -> Draft {
        let text: JSONText = call.callType == .video ? "Started a video call." : "Started a voice call."
        return Draft("m.room.message", by: call.createdBy, .object([("msgtype", "m.notice"), ("body", text)]))
    }

    func event(of event: CallEvent, part: Int, in call: Call, _ policy: CallPolicy) -> RoomEvent {
        let lifetime = event.kind == .initiated ? policy.ringTimeout : isRepeatable ? Self.momentary : Self.lifetime
        let number = isRepeatable ? ".\(event.sequence)" : ""
        return RoomEvent(
            sequence: event.sequence,
            part: part,
            type: type,
            sender: sender,
            content: content.text,
            transactionID: "\(call.id.rawValue).\(type)\(number).\(sender)",
            expiresAt: event.at.advanced(byMilliseconds: lifetime)
        )
    }
}

extension Call {
    /// What the room is told of the call's being placed, for a client that says so itself: without an offer of anybody's, since what
    /// is answered in a room whose clients encrypt is not heard here.
    public func invitation(policy: CallPolicy, using generator: inout some RandomNumberGenerator) -> RoomEvent {
        let draft = isOfTwo ? invite(nil, &generator) : .notice(of: self)
        let placed = CallEvent(sequence: 1, kind: .initiated, at: createdAt, userID: createdBy, deviceID: nil)
        return draft.event(of: placed, part: 0, in: self, policy)
    }

    /// Whether it is a call between two, as clients of a room know calls.
    fileprivate var isOfTwo: Bool { !isGroup && participants.count == 2 }

    /// The first stream is a user's microphone and camera, any other one a screen, which nobody shows before there is an answer.
    fileprivate func metadata(of streams: [SessionDescription.Stream], _ user: UserID) -> JSONText {
        let side = participant(user)
        return .object(
            streams.enumerated().map { index, stream in
                let isVideo = stream.hasVideo && side?.videoEnabled != false
                let media: [(String, JSONText?)] = [
                    ("purpose", index == 0 || answeredAt == nil ? "m.usermedia" : "m.screenshare"),
                    ("audio_muted", .boolean(side?.audioEnabled == false)),
                    // Without it, or with false, a client takes the call for one with video.
                    ("video_muted", .boolean(!isVideo)),
                ]
                return (stream.id, .object(media))
            }
        )
    }

    /// The invite of a call of two, with an offer or one that nobody made.
    fileprivate func invite(_ own: SessionDescription?, _ generator: inout some RandomNumberGenerator) -> Draft {
        let offer = own ?? SyntheticOffer.make(callType, using: &generator)
        let streams = offer.map { metadata(of: $0.streams, createdBy) }
        let invitee = participants.first { $0.userID != createdBy }?.userID
        let lifetime = (ringDeadline?.milliseconds ?? 0) - createdAt.milliseconds
        let marker: [(String, JSONText?)] = [
            ("callId", .string(id.rawValue)), ("callType", .string(callType.rawValue)),
        ]
        return Draft(
            RoomEvent.inviteType,
            by: CallParty(createdBy, in: self),
            in: self,
            [
                ("lifetime", .integer(lifetime)),
                // Without it every device in the room rings, the caller's among them.
                ("invitee", invitee.map(JSONText.string)),
                ("offer", .object([("type", "offer"), ("sdp", offer.map { .string($0.text) })])),
                ("sdp_stream_metadata", streams), ("org.matrix.msc3077.sdp_stream_metadata", streams),
                // By this a client that knows callrelay takes the call there.
                ("org.callrelay.call", .object(marker)),
            ]
        )
    }
}

extension EndReason {
    /// What the specification calls it.
    fileprivate var inRoom: String {
        switch self {
        case .hangup, .cancelled, .rejected, .left: "user_hangup"
        case .busy: "user_busy"
        case .missed: "invite_timeout"
        case .failed: "ice_failed"
        }
    }
}

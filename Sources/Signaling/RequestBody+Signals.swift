public import CallModel
import SocketIO

extension RequestBody {
    /// The `to` of a signal.
    public func recipient() throws(CallFailure) -> UserID? {
        try string("to", limit: CallLimits.identifierLength)
    }

    /// The `deviceId` of a request.
    public func device() throws(CallFailure) -> DeviceID? {
        guard let device = try string("deviceId", limit: CallLimits.deviceIDLength) else { return nil }
        guard !device.hasPrefix(RoomSide.prefix) else {
            throw .invalid(detail: "deviceId must not begin with \(RoomSide.prefix).")
        }
        return device
    }

    /// The `reason` of a request; one that we do not know counts as none.
    public func reason() throws(CallFailure) -> EndReason? {
        try string("reason", limit: CallLimits.reasonLength).flatMap(EndReason.init(rawValue:))
    }

    /// The session description in the member `offer` or `answer`; `nil` if it is missing.
    public func description(_ kind: SignalKind, to recipient: UserID?) throws(CallFailure) -> Signal? {
        guard let value = value(kind.rawValue) else { return nil }
        guard value.byteCount <= CallLimits.descriptionSize else {
            throw .tooLarge(detail: "\(kind.rawValue) is larger than \(CallLimits.descriptionSize) bytes.")
        }
        guard let members = value.members(limit: 16),
            let type = members.last(where: { $0.name == "type" })?.value.stringValue,
            type == kind.rawValue || (kind == .answer && type == "pranswer"),
            members.last(where: { $0.name == "sdp" })?.value.kind == .string
        else {
            throw .invalid(detail: "\(kind.rawValue) must be {\"type\": \"\(kind.rawValue)\", \"sdp\": string}.")
        }
        return Signal(kind: kind, to: recipient, payload: value.text)
    }

    /// A description that has to be there, with its `to`.
    public func requiredDescription(_ kind: SignalKind) throws(CallFailure) -> Signal {
        guard let signal = try description(kind, to: recipient()) else {
            throw .invalid(detail: "\(kind.rawValue) is missing.")
        }
        return signal
    }

    /// The candidate in `candidate`, or those in `candidates`, with their `to`.
    public func candidates() throws(CallFailure) -> [Signal] {
        let recipient = try recipient()
        if let batch = value("candidates") {
            guard batch.kind == .array else { throw .invalid(detail: "candidates must be an array.") }
            guard let elements = batch.elements(limit: CallLimits.candidatesPerBatch) else {
                throw .tooLarge(detail: "candidates holds more than \(CallLimits.candidatesPerBatch).")
            }
            guard !elements.isEmpty else { throw .invalid(detail: "candidates is empty.") }
            return try elements.map { element throws(CallFailure) in try Self.candidate(element, to: recipient) }
        }
        // `null` is the end of candidates here, not a missing member.
        guard let single = raw("candidate") else { throw .invalid(detail: "candidate is missing.") }
        return [try Self.candidate(single, to: recipient)]
    }

    private static func candidate(_ value: JSONText, to recipient: UserID?) throws(CallFailure) -> Signal {
        guard value.byteCount <= CallLimits.candidateSize else {
            throw .tooLarge(detail: "A candidate is larger than \(CallLimits.candidateSize) bytes.")
        }
        switch value.kind {
        case .object, .string, .null: return Signal(kind: .candidate, to: recipient, payload: value.text)
        case .array, .number, .boolean: throw .invalid(detail: "A candidate must be an object, a string or null.")
        }
    }

    /// A wish to place a call.
    public func initiation() throws(CallFailure) -> CallInitiation {
        CallInitiation(
            roomID: try requiredString("roomId", limit: CallLimits.identifierLength),
            callType: try choice("callType", of: CallType.self) ?? .voice,
            isGroup: try boolean("group") ?? false,
            isRelayOnly: try boolean("relayOnly") ?? false,
            invitees: try identifiers("invitees", limit: CallLimits.invitees),
            offer: try description(.offer, to: nil)
        )
    }

    /// What `media-state` changes.
    public func mediaState() throws(CallFailure) -> MediaState {
        MediaState(
            onHold: try boolean("onHold"),
            screenShare: try boolean("screenShare"),
            callType: try choice("callType", of: CallType.self)
        )
    }

    /// The call that an event is about.
    public func callID() throws(CallFailure) -> CallID {
        guard let id = CallID(try requiredString("callId", limit: 1024)) else { throw .callNotFound }
        return id
    }
}

/// A Socket.IO packet (protocol 5) without its attachments.
struct SocketPacket: Hashable, Sendable {
    enum Kind: UInt8, Hashable, Sendable {
        case connect = 0
        case disconnect = 1
        case event = 2
        case acknowledgement = 3
        case connectError = 4
        case binaryEvent = 5
        case binaryAcknowledgement = 6

        var carriesAttachments: Bool { self == .binaryEvent || self == .binaryAcknowledgement }
    }

    var kind: Kind
    var namespace = "/"
    var acknowledgementID: UInt64?
    var payload: JSONText?
    var attachmentCount = 0

    /// The packet as text: `<type>[<attachments>-][<namespace>,][<id>][json]`.
    var text: String {
        var text = ""
        text.reserveCapacity(namespace.utf8.count + (payload?.byteCount ?? 0) + 32)
        text += String(kind.rawValue)
        if kind.carriesAttachments {
            text += "\(attachmentCount)-"
        }
        if namespace != "/" {
            text += namespace
            text += ","
        }
        if let acknowledgementID {
            text += String(acknowledgementID)
        }
        if let payload {
            text += payload.text
        }
        return text
    }
}

extension SocketPacket {
    /// An event or an acknowledgement, binary if it has attachments.
    static func data(
        _ arguments: [JSONText],
        namespace: String,
        acknowledging id: UInt64? = nil,
        attachmentCount: Int
    ) -> SocketPacket {
        let kind: Kind =
            switch (id == nil, attachmentCount == 0) {
            case (true, true): .event
            case (true, false): .binaryEvent
            case (false, true): .acknowledgement
            case (false, false): .binaryAcknowledgement
            }
        return SocketPacket(
            kind: kind,
            namespace: namespace,
            acknowledgementID: id,
            payload: .array(arguments),
            attachmentCount: attachmentCount
        )
    }
}

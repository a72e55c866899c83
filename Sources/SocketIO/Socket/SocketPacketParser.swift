/// Why a message is no Socket.IO packet, or none that is allowed. The connection ends with it.
enum SocketPacketFailure: Error, Hashable, Sendable {
    case unknownType
    case malformedAttachmentCount
    case tooManyAttachments
    case namespaceTooLong
    case malformedAcknowledgementID
    case malformedPayload(JSONFailure)
    case illegalPayload
    case tooManyArguments
    case illegalAttachment
    case unexpectedBinary
    case unexpectedText
}

/// Reads Socket.IO packets from text.
struct SocketPacketParser {
    private let limits: SocketConfiguration
    private let text: String
    private var offset = 0

    /// Parses `text` whole.
    static func parse(_ text: String, limits: SocketConfiguration) throws(SocketPacketFailure) -> SocketPacket {
        var parser = SocketPacketParser(limits: limits, text: text)
        return try parser.packet()
    }

    private init(limits: SocketConfiguration, text: String) {
        self.limits = limits
        self.text = text
    }

    private mutating func packet() throws(SocketPacketFailure) -> SocketPacket {
        guard let digit = take(while: { _ in true }, limit: 1)?.utf8.first,
            let kind = SocketPacket.Kind(rawValue: digit &- UInt8(ascii: "0"))
        else { throw .unknownType }
        var packet = SocketPacket(kind: kind)
        if kind.carriesAttachments {
            packet.attachmentCount = try attachmentCount()
        }
        if let namespace = try namespace() {
            packet.namespace = namespace
        }
        packet.acknowledgementID = try acknowledgementID()
        packet.payload = try payload()
        return packet
    }

    /// The number before `-`.
    private mutating func attachmentCount() throws(SocketPacketFailure) -> Int {
        guard let digits = take(while: isDigit, limit: 9), let count = Int(digits),
            take(while: { $0 == UInt8(ascii: "-") }, limit: 1) != nil
        else { throw .malformedAttachmentCount }
        guard count <= limits.maximumAttachments else { throw .tooManyAttachments }
        return count
    }

    /// What begins with `/`, up to a comma or the end. The comma may be missing where nothing follows.
    private mutating func namespace() throws(SocketPacketFailure) -> String? {
        guard offset < text.utf8.count, text.utf8.span[offset] == UInt8(ascii: "/") else { return nil }
        let name = take(while: { $0 != UInt8(ascii: ",") }, limit: limits.maximumNamespaceBytes)
        if take(while: { $0 == UInt8(ascii: ",") }, limit: 1) == nil, offset < text.utf8.count {
            throw .namespaceTooLong
        }
        return name
    }

    private mutating func acknowledgementID() throws(SocketPacketFailure) -> UInt64? {
        guard let digits = take(while: isDigit, limit: 20) else { return nil }
        guard let id = UInt64(digits) else { throw .malformedAcknowledgementID }
        return id
    }

    private mutating func payload() throws(SocketPacketFailure) -> JSONText? {
        guard offset < text.utf8.count else { return nil }
        do {
            return try JSONText(validating: text.slice(offset..<text.utf8.count), limits: limits.json)
        } catch {
            throw .malformedPayload(error)
        }
    }

    /// Takes the bytes that satisfy `condition`, `limit` at most; nil if there is none. Only for ASCII conditions or
    /// conditions that stop at ASCII, so that characters stay whole; a limit that cuts one ends before it.
    private mutating func take(while condition: (UInt8) -> Bool, limit: Int) -> String? {
        let bytes = text.utf8.span
        var end = offset
        while end < bytes.count, end - offset < limit, condition(bytes[end]) {
            end += 1
        }
        while end > offset, end < bytes.count, bytes[end] & 0xC0 == 0x80 {
            end -= 1
        }
        guard end > offset else { return nil }
        defer { offset = end }
        return text.slice(offset..<end)
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }
}

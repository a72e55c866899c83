/// What a server's text frame says, as far as a client of one namespace has to know. Written for speed and independently of
/// the server's own reader.
public enum ClientPacket: Hashable, Sendable {
    /// The Engine.IO handshake.
    case open
    /// A ping, to be answered with `3`.
    case ping
    /// The namespace is entered.
    case connected
    /// The namespace is not to be entered; what the server says about it.
    case refused(String)
    /// An event and its one argument, as it was written.
    case event(name: String, payload: String)
    /// The answer to the event of this number: its one argument, as it was written.
    case acknowledgement(Int, payload: String)
    /// The server ended the session.
    case closed
    /// Anything else.
    case other

    /// Reads one frame, or one packet of a poll's answer.
    public init(_ frame: String) {
        let bytes = frame.utf8
        switch (bytes.first, bytes.dropFirst().first) {
        case (UInt8(ascii: "0"), _): self = .open
        case (UInt8(ascii: "1"), _): self = .closed
        case (UInt8(ascii: "2"), _): self = .ping
        case (UInt8(ascii: "4"), UInt8(ascii: "0")): self = .connected
        case (UInt8(ascii: "4"), UInt8(ascii: "1")): self = .closed
        case (UInt8(ascii: "4"), UInt8(ascii: "2")): self = Self.event(frame)
        case (UInt8(ascii: "4"), UInt8(ascii: "3")): self = Self.acknowledgement(frame)
        case (UInt8(ascii: "4"), UInt8(ascii: "4")): self = .refused(String(frame.dropFirst(2)))
        default: self = .other
        }
    }

    /// `42["name",payload]`.
    private static func event(_ frame: String) -> ClientPacket {
        let bytes = frame.utf8
        guard let open = bytes.firstIndex(of: UInt8(ascii: "\"")) else { return .other }
        let start = bytes.index(after: open)
        guard let close = bytes[start...].firstIndex(of: UInt8(ascii: "\"")) else { return .other }
        return .event(
            name: String(frame[start..<close]),
            payload: argument(of: frame, after: bytes.index(after: close))
        )
    }

    /// `43<number>[payload]`.
    private static func acknowledgement(_ frame: String) -> ClientPacket {
        let digits = frame.utf8.dropFirst(2).prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        var number = 0
        for digit in digits.prefix(18) { number = number * 10 + Int(digit - UInt8(ascii: "0")) }
        guard !digits.isEmpty else { return .other }
        return .acknowledgement(number, payload: argument(of: frame, after: digits.endIndex))
    }

    /// What stands between the comma or bracket at `place` and the last bracket.
    private static func argument(of frame: String, after place: String.Index) -> String {
        let bytes = frame.utf8
        guard place < bytes.endIndex, let end = bytes.lastIndex(of: UInt8(ascii: "]")), place < end else { return "" }
        return String(frame[bytes.index(after: place)..<end])
    }
}

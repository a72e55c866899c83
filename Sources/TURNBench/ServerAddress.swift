public import NetPrimitives

/// Whom a load goes to, as the command line names it: `turn:HOST:PORT`, or `floor:HOST:PORT` for the bare forwarder.
public struct ServerAddress: Hashable, Sendable {
    /// What the far end speaks.
    public enum Speech: String, Hashable, Sendable {
        /// STUN and TURN over UDP.
        case turn
        /// The registrations of `FloorMessage`, and nothing else.
        case floor
    }

    /// What the far end speaks.
    public let speech: Speech
    /// A name or an address, without brackets.
    public let host: String
    /// Its UDP port.
    public let port: UInt16

    /// Takes `turn:HOST[:PORT]` or `floor:HOST:PORT` apart; an IPv6 address stands in brackets. Nil for anything else.
    public init?(parsing text: String) {
        guard let colon = text.firstIndex(of: ":"), let speech = Speech(rawValue: String(text[..<colon])) else {
            return nil
        }
        let rest = text[text.index(after: colon)...]
        let host: Substring
        let tail: Substring
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = rest[rest.index(after: rest.startIndex)..<end]
            tail = rest[rest.index(after: end)...]
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            host = rest[..<end]
            tail = rest[end...]
        }
        guard !host.isEmpty else { return nil }
        self.speech = speech
        self.host = String(host)
        if tail.isEmpty, speech == .turn {
            port = 3478
        } else {
            guard tail.first == ":", let port = UInt16(tail.dropFirst()), port > 0 else { return nil }
            self.port = port
        }
    }

    /// Whether a load may go there without the operator's word that the host is his.
    public static func isHarmless(_ address: IPAddress) -> Bool { address.isLoopback }
}

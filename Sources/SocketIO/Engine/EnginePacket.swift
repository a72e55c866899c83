/// An Engine.IO packet as a client sends it.
enum EnginePacket: Hashable, Sendable {
    case open
    case close
    case ping(String)
    case pong
    case message(EngineMessage)
    case upgrade
    case noop

    /// Reads a packet from text: a type digit and its payload, or `b` and base64. Nil if it is none.
    init?(text: String) {
        guard let type = text.utf8.first else { return nil }
        switch type {
        case UInt8(ascii: "0"): self = .open
        case UInt8(ascii: "1"): self = .close
        case UInt8(ascii: "2"): self = .ping(text.slice(1..<text.utf8.count))
        case UInt8(ascii: "3"): self = .pong
        case UInt8(ascii: "4"): self = .message(.text(text.slice(1..<text.utf8.count)))
        case UInt8(ascii: "5"): self = .upgrade
        case UInt8(ascii: "6"): self = .noop
        case UInt8(ascii: "b"):
            guard let bytes = Base64.decode(text.utf8.dropFirst()) else { return nil }
            self = .message(.binary(bytes))
        default: return nil
        }
    }

    /// Reads a packet from a WebSocket message; binary ones are always messages.
    init?(_ message: EngineMessage) {
        switch message {
        case .text(let text): self.init(text: text)
        case .binary: self = .message(message)
        }
    }
}

/// What one side says to the other over an Engine.IO connection.
public enum EngineMessage: Hashable, Sendable {
    case text(String)
    case binary([UInt8])

    /// UTF-8 bytes, or bytes.
    public var byteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        }
    }
}

/// A packet as a WebSocket carries it: text with its type digit, or the bare bytes of a binary message.
public enum EngineFrame: Hashable, Sendable {
    case text(String)
    case binary([UInt8])

    /// The frame of a message.
    init(_ message: EngineMessage) {
        switch message {
        case .text(let text): self = .text("4" + text)
        case .binary(let bytes): self = .binary(bytes)
        }
    }

    static let ping = EngineFrame.text("2")
    static let probeAnswer = EngineFrame.text("3probe")

    /// UTF-8 bytes, or bytes.
    public var byteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        }
    }

    /// The frame as a text: as it is, or `b` and base64 where only text can be carried.
    var asText: String {
        switch self {
        case .text(let text): text
        case .binary(let bytes): "b" + Base64.encode(bytes)
        }
    }
}

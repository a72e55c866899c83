/// The opaque, unguessable name of a call: 24 URL-safe characters that carry 144 random bits when we made it.
public struct CallID: Hashable, Sendable {
    /// The text that stands in URLs, events and TURN usernames.
    public let rawValue: String

    /// The longest identifier that is looked up at all.
    public static let maximumLength = 64

    /// Takes an identifier that came from outside; `nil` if it cannot be one of ours in form.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard !bytes.isEmpty, bytes.count <= Self.maximumLength, bytes.allSatisfy(Self.isURLSafe) else { return nil }
        rawValue = text
    }

    /// Draws a new identifier.
    public static func random(using generator: inout some RandomNumberGenerator) -> CallID {
        var text = ""
        text.reserveCapacity(24)
        for _ in 0..<24 { text.append(Self.alphabet[Int(generator.next() & 63)]) }
        return CallID(unchecked: text)
    }

    private init(unchecked text: String) { rawValue = text }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    private static func isURLSafe(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

import Crypto
import NetPrimitives

/// USERHASH (RFC 8489 §14.4): the SHA-256 of `username:realm`, sent instead of the name.
public struct Userhash: Hashable, Sendable {
    /// The 32 bytes.
    public let bytes: [UInt8]

    /// The hash of a user name in a realm.
    public init(username: String, realm: String) {
        bytes = Array(SHA256.hash(data: Array("\(username):\(realm)".utf8)))
    }

    init(bytes: [UInt8]) { self.bytes = bytes }
}

extension MessageView {
    /// USERHASH; nil if there is none or it is malformed.
    public var userhash: Userhash? {
        guard let attribute = first(.userhash), attribute.length == 32 else { return nil }
        return Userhash(bytes: value(of: attribute).copied())
    }
}

extension MessageBuilder {
    /// Appends USERHASH.
    public mutating func appendUserhash(_ userhash: Userhash) {
        appendHeader(.userhash, length: userhash.bytes.count)
        for byte in userhash.bytes { writer.append(byte) }
    }
}

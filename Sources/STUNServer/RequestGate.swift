public import STUNCore

/// What every message has to pass before anybody looks at what it asks for (RFC 8489 §6.3).
public enum RequestGate {
    /// How many types UNKNOWN-ATTRIBUTES lists at most; further ones are left out.
    public static let maximumListedTypes = 16

    /// Why a message is dropped without an answer.
    public enum DropReason: Hashable, Sendable, BitwiseCopyable {
        /// FINGERPRINT is wrong or does not stand last.
        case fingerprint
        /// A response, though a server asks nothing.
        case response
        /// An indication with a comprehension-required attribute that is not known.
        case unknownAttribute
    }

    /// What to do with a message.
    public enum Outcome: Hashable, Sendable {
        /// Go on.
        case proceed
        /// Answer the request with 420 and list these types.
        case unknownAttributes([AttributeType])
        /// Drop it.
        case drop(DropReason)
    }

    /// Checks class, fingerprint and comprehension. The header was checked when `message` was made.
    public static func check(_ message: MessageView, known: KnownAttributes) -> Outcome {
        guard message.type.messageClass == .request || message.type.messageClass == .indication else {
            return .drop(.response)
        }
        guard message.isFingerprintRight else { return .drop(.fingerprint) }
        let unknown = unknownTypes(in: message, known: known)
        if unknown.isEmpty { return .proceed }
        return message.type.messageClass == .request ? .unknownAttributes(unknown) : .drop(.unknownAttribute)
    }

    private static func unknownTypes(in message: MessageView, known: KnownAttributes) -> [AttributeType] {
        var unknown: [AttributeType] = []
        var reader = message.attributes
        while let attribute = reader.next(), unknown.count < maximumListedTypes {
            let type = attribute.type
            guard type.isComprehensionRequired, !known.contains(type), !unknown.contains(type) else { continue }
            unknown.append(type)
        }
        return unknown
    }
}

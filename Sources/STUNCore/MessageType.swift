/// The class of a STUN message (RFC 8489 §5).
public enum MessageClass: UInt8, Sendable, BitwiseCopyable {
    case request = 0
    case indication = 1
    case success = 2
    case error = 3
}

/// A STUN method: 12 bits.
public struct MessageMethod: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    /// The method's number, at most 0xFFF.
    public let rawValue: UInt16

    /// The method of that number; bits above the twelfth are dropped.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue & 0xFFF }

    /// Binding (RFC 8489).
    public static let binding = MessageMethod(rawValue: 0x001)
    /// Allocate (RFC 8656).
    public static let allocate = MessageMethod(rawValue: 0x003)
    /// Refresh (RFC 8656).
    public static let refresh = MessageMethod(rawValue: 0x004)
    /// Send, an indication (RFC 8656).
    public static let send = MessageMethod(rawValue: 0x006)
    /// Data, an indication (RFC 8656).
    public static let data = MessageMethod(rawValue: 0x007)
    /// CreatePermission (RFC 8656).
    public static let createPermission = MessageMethod(rawValue: 0x008)
    /// ChannelBind (RFC 8656).
    public static let channelBind = MessageMethod(rawValue: 0x009)
}

/// Method and class, the first 16 bits of a STUN message.
public struct MessageType: Hashable, Sendable, BitwiseCopyable {
    /// What is asked or told.
    public let method: MessageMethod
    /// Whether it is a request, an indication or one of the two responses.
    public let messageClass: MessageClass

    /// The type of a message of that method and class.
    @inlinable
    public init(_ method: MessageMethod, _ messageClass: MessageClass) {
        self.method = method
        self.messageClass = messageClass
    }

    /// Takes the two apart; nil if the first two bits are not zero. The class bits lie between those of the method
    /// (RFC 8489 §5, figure 3).
    @inlinable
    public init?(rawValue: UInt16) {
        guard rawValue & 0xC000 == 0 else { return nil }
        let classBits = UInt8(truncatingIfNeeded: (rawValue >> 7 & 2) | (rawValue >> 4 & 1))
        guard let messageClass = MessageClass(rawValue: classBits) else { return nil }
        let method = (rawValue >> 2 & 0xF80) | (rawValue >> 1 & 0x070) | (rawValue & 0x00F)
        self.init(MessageMethod(rawValue: method), messageClass)
    }

    /// The 16 bits as they stand in a message.
    @inlinable
    public var rawValue: UInt16 {
        let bits = method.rawValue
        let classBits = UInt16(messageClass.rawValue)
        return (bits & 0xF80) << 2 | (bits & 0x070) << 1 | (bits & 0x00F) | (classBits & 2) << 7 | (classBits & 1) << 4
    }
}

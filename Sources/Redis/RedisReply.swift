import CHiredis

/// What Redis answered, copied out of the client library.
public enum RedisReply: Hashable, Sendable {
    /// A status such as `OK`.
    case status(String)
    /// A refusal.
    case error(String)
    /// A number.
    case integer(Int64)
    /// Bytes.
    case bytes([UInt8])
    /// Several.
    case array([RedisReply])
    /// Nothing.
    case null

    init(_ reply: UnsafeMutablePointer<redisReply>) {
        let value = unsafe reply.pointee
        let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: value.str, count: value.str == nil ? 0 : value.len))
        switch unsafe value.type {
        case REDIS_REPLY_STATUS: self = .status(String(decoding: bytes, as: UTF8.self))
        case REDIS_REPLY_ERROR: self = .error(String(decoding: bytes, as: UTF8.self))
        case REDIS_REPLY_INTEGER: self = .integer(unsafe value.integer)
        case REDIS_REPLY_STRING: self = .bytes(bytes)
        case REDIS_REPLY_ARRAY:
            self = .array(
                (0..<(unsafe value.elements)).map { index in
                    unsafe value.element[index].map { unsafe RedisReply($0) } ?? .null
                }
            )
        default: self = .null
        }
    }

    /// The bytes or the status as text.
    public var text: String? {
        switch self {
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        case .status(let text): text
        case .error, .integer, .array, .null: nil
        }
    }
}

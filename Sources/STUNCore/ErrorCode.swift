/// A STUN error code, 300 to 699.
public struct ErrorCode: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    /// The code as a number.
    public let rawValue: UInt16

    /// The error code of that number.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// 300 Try Alternate.
    public static let tryAlternate = ErrorCode(rawValue: 300)
    /// 400 Bad Request.
    public static let badRequest = ErrorCode(rawValue: 400)
    /// 401 Unauthenticated.
    public static let unauthenticated = ErrorCode(rawValue: 401)
    /// 403 Forbidden.
    public static let forbidden = ErrorCode(rawValue: 403)
    /// 405 Mobility Forbidden (RFC 8016).
    public static let mobilityForbidden = ErrorCode(rawValue: 405)
    /// 420 Unknown Attribute.
    public static let unknownAttribute = ErrorCode(rawValue: 420)
    /// 437 Allocation Mismatch.
    public static let allocationMismatch = ErrorCode(rawValue: 437)
    /// 438 Stale Nonce.
    public static let staleNonce = ErrorCode(rawValue: 438)
    /// 440 Address Family not Supported.
    public static let addressFamilyNotSupported = ErrorCode(rawValue: 440)
    /// 441 Wrong Credentials.
    public static let wrongCredentials = ErrorCode(rawValue: 441)
    /// 442 Unsupported Transport Protocol.
    public static let unsupportedTransportProtocol = ErrorCode(rawValue: 442)
    /// 443 Peer Address Family Mismatch.
    public static let peerAddressFamilyMismatch = ErrorCode(rawValue: 443)
    /// 446 Connection Already Exists (RFC 6062).
    public static let connectionAlreadyExists = ErrorCode(rawValue: 446)
    /// 447 Connection Timeout or Failure (RFC 6062).
    public static let connectionTimeoutOrFailure = ErrorCode(rawValue: 447)
    /// 486 Allocation Quota Reached.
    public static let allocationQuotaReached = ErrorCode(rawValue: 486)
    /// 500 Server Error.
    public static let serverError = ErrorCode(rawValue: 500)
    /// 508 Insufficient Capacity.
    public static let insufficientCapacity = ErrorCode(rawValue: 508)

    /// The recommended reason phrase; empty for 401 and 438, whose answers are kept short because anybody can cause them.
    public var reason: String {
        switch self {
        case .tryAlternate: "Try Alternate"
        case .badRequest: "Bad Request"
        case .forbidden: "Forbidden"
        case .mobilityForbidden: "Mobility Forbidden"
        case .unknownAttribute: "Unknown Attribute"
        case .allocationMismatch: "Allocation Mismatch"
        case .addressFamilyNotSupported: "Address Family not Supported"
        case .wrongCredentials: "Wrong Credentials"
        case .unsupportedTransportProtocol: "Unsupported Transport Protocol"
        case .peerAddressFamilyMismatch: "Peer Address Family Mismatch"
        case .connectionAlreadyExists: "Connection Already Exists"
        case .connectionTimeoutOrFailure: "Connection Timeout or Failure"
        case .allocationQuotaReached: "Allocation Quota Reached"
        case .serverError: "Server Error"
        case .insufficientCapacity: "Insufficient Capacity"
        default: ""
        }
    }
}

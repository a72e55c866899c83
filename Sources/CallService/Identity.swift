public import CallModel

/// Who a token belongs to.
public struct Identity: Hashable, Sendable {
    /// The user; the one and only source of who acts.
    public let userID: UserID
    /// The device that the token was issued to, if the issuer knows devices.
    public let deviceID: DeviceID?

    /// A verified identity.
    public init(userID: UserID, deviceID: DeviceID? = nil) {
        self.userID = userID
        self.deviceID = deviceID
    }
}

/// Turns a token into who it belongs to.
public protocol TokenVerifier: Sendable {
    /// Verifies a token; it may ask another server.
    func verify(_ token: String) async throws(AuthenticationFailure) -> Identity
}

/// Why a token was not taken.
public enum AuthenticationFailure: Error, Hashable, Sendable {
    /// There was none.
    case missing
    /// It is none of ours, or no longer good. A homeserver's own words pass through.
    case invalid(errcode: String?, isSoftLogout: Bool?)
    /// Another token than that of the user who connected.
    case otherUser
    /// Who could tell cannot be reached; the client should try again.
    case unavailable

    /// The stable name of the failure.
    public var code: String {
        switch self {
        case .missing: "missing_token"
        case .invalid: "invalid_token"
        case .otherUser: "user_mismatch"
        case .unavailable: "auth_unavailable"
        }
    }

    /// One sentence for a person.
    public var message: String {
        switch self {
        case .missing: "A bearer token is required."
        case .invalid: "The token is not valid."
        case .otherUser: "The token belongs to another user."
        case .unavailable: "The token cannot be checked now; try again."
        }
    }
}

/// Development mode: the token says who it is. The server takes it on loopback only.
public struct DevTokenVerifier: TokenVerifier {
    /// A verifier of `dev:@user:server` tokens.
    public init() {}

    /// Takes `dev:` and a user id, `dev:@alice:localhost`.
    public func verify(_ token: String) async throws(AuthenticationFailure) -> Identity {
        let prefix = "dev:"
        guard !token.isEmpty else { throw .missing }
        let user = String(token.dropFirst(prefix.count))
        guard token.hasPrefix(prefix), user.hasPrefix("@"), user.utf8.count > 1,
            user.utf8.count <= CallLimits.identifierLength, user.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else { throw .invalid(errcode: nil, isSoftLogout: nil) }
        return Identity(userID: user)
    }
}

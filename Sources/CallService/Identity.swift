public import CallModel

/// Who a token belongs to.
public struct Identity: Hashable, Sendable {
    /// The user; the one and only source of who acts.
    public let userID: UserID
    /// The device that the token was issued to, if the issuer knows devices.
    public let deviceID: DeviceID?
    /// What the user's homeserver may be asked with in the user's name; `nil` for whoever did not bring such a token.
    public let access: AccessToken?

    /// A verified identity.
    public init(userID: UserID, deviceID: DeviceID? = nil, access: AccessToken? = nil) {
        self.userID = userID
        self.deviceID = deviceID
        self.access = access
    }
}

/// Turns a token into who it belongs to.
public protocol TokenVerifier: Sendable {
    /// Verifies a token; it may ask another server.
    func verify(_ token: String) async throws(AuthenticationFailure) -> Identity
}

extension UserID {
    /// Whether it has the form of a user id: `@`, something, and nothing that does not belong into one.
    package var hasForm: Bool {
        hasPrefix("@") && utf8.count > 1 && utf8.count <= CallLimits.identifierLength
            && utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
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
        guard token.hasPrefix(prefix), user.hasForm else { throw .invalid(errcode: nil, isSoftLogout: nil) }
        return Identity(userID: user)
    }
}

public import CallModel
public import CallService

/// Lets users in by what their homeserver gave them to show elsewhere (Matrix client-server API, OpenID).
///
/// Which URL is asked is the operator's to say: the client names a homeserver, and one that is not listed is not asked.
public struct MatrixOpenID: OpenIDLogin {
    private let servers: [String: HomeserverClient]
    private let sessions: SessionTokens
    private let clock: @Sendable () -> Timestamp

    /// Lets users of `servers` in, which are listed by name.
    public init(
        servers: [String: HomeserverClient],
        sessions: SessionTokens,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.servers = servers
        self.sessions = sessions
        self.clock = clock
    }

    /// Asks the homeserver whose token it is, and believes it for its own users only.
    public func login(_ proof: OpenIDProof) async throws(AuthenticationFailure) -> SessionGrant {
        guard let server = servers[proof.serverName] else { throw .serverNotListed }
        let user: UserID
        do throws(HomeserverFailure) {
            user = try await server.openIDUser(proof.token)
        } catch {
            guard case .refused(_, let errcode, _) = error else { throw .unavailable }
            throw .invalid(errcode: errcode, isSoftLogout: nil)
        }
        guard user.hasForm, user.hasSuffix(":" + proof.serverName) else {
            throw .invalid(errcode: nil, isSoftLogout: nil)
        }
        return sessions.grant(user, secondsToLive: proof.secondsToLive, now: clock())
    }
}

public import NetPrimitives
public import STUNCore

/// The long-term credential mechanism (RFC 8489 §9.2) without any memory: what it needs to know about a client is in the
/// client's own nonce.
public struct Authenticator: Sendable {
    /// Who may use the server.
    public let credentials: CredentialBook
    /// The maker and judge of nonces.
    public let nonces: NonceMinter

    /// An authenticator for the realm of `credentials`.
    public init(credentials: CredentialBook, nonceKey: NonceKey) {
        self.credentials = credentials
        nonces = NonceMinter(key: nonceKey, realm: credentials.realm)
    }

    /// Whether a credential's expiry matters to a request.
    public enum ExpiryRule: Hashable, Sendable {
        /// A credential that has ended is refused: at Allocate.
        case checked
        /// It is not looked at, so that a running call outlives its credential.
        case ignored
    }

    /// How a request fared.
    public enum Outcome: Sendable {
        /// Its integrity is right and its nonce good.
        case accepted(AuthenticatedUser)
        /// It gets an error answer (`ReplyWriter.refusal`).
        case refused(Refusal)
    }

    /// The error answers of RFC 8489 §9.2.4. None of them carries an integrity attribute.
    public enum Refusal: Hashable, Sendable, BitwiseCopyable {
        /// 400: integrity without USERNAME, REALM or NONCE.
        case badRequest
        /// 401 with REALM and NONCE: no integrity, an unknown or expired credential, or a wrong integrity.
        case unauthenticated
        /// 438 with REALM and a new NONCE: all is right but the nonce.
        case staleNonce

        /// The code of the answer.
        public var errorCode: ErrorCode {
            switch self {
            case .badRequest: .badRequest
            case .unauthenticated: .unauthenticated
            case .staleNonce: .staleNonce
            }
        }
    }

    /// Authenticates a request in the order of RFC 8489 §9.2.4.
    ///
    /// `client` is where the request came from and `unixSeconds` the time of day. `keeping` is the user of the
    /// allocation that the request is about, if there is one: its key then counts for its name, while another name is
    /// looked up as usual, for the caller to compare (441).
    public func authenticate(
        _ message: MessageView,
        from client: Endpoint,
        unixSeconds: UInt64,
        expiry: ExpiryRule,
        keeping kept: AuthenticatedUser? = nil
    ) -> Outcome {
        guard let algorithm = message.integrityAlgorithm else { return .refused(.unauthenticated) }
        let hasUser = message.contains(.username) || message.contains(.userhash)
        guard hasUser, message.contains(.realm), message.contains(.nonce) else { return .refused(.badRequest) }
        guard let username = message.text(.username),
            let user = verifiedUser(message, username: username, algorithm: algorithm, kept: kept)
        else { return .refused(.unauthenticated) }
        if expiry == .checked, let end = user.expiry, end <= unixSeconds { return .refused(.unauthenticated) }
        let isGood = message.first(.nonce).map {
            nonces.isGood(message.value(of: $0), for: client.address, unixSeconds: unixSeconds)
        }
        return isGood == true ? .accepted(user) : .refused(.staleNonce)
    }

    private func verifiedUser(
        _ message: MessageView,
        username: String,
        algorithm: IntegrityAlgorithm,
        kept: AuthenticatedUser?
    ) -> AuthenticatedUser? {
        if let kept, kept.isNamed(username) {
            guard message.verifyIntegrity(algorithm, key: kept.seal.key) else { return nil }
            return AuthenticatedUser(
                username: username,
                quotaKey: kept.quotaKey,
                callID: kept.callID,
                expiry: kept.expiry,
                seal: IntegritySeal(key: kept.seal.key, algorithm: algorithm)
            )
        }
        for candidate in credentials.candidates(for: username)
        where message.verifyIntegrity(algorithm, key: candidate.key) {
            return AuthenticatedUser(
                username: username,
                quotaKey: candidate.quotaKey,
                callID: candidate.callID,
                expiry: candidate.expiry,
                seal: IntegritySeal(key: candidate.key, algorithm: algorithm)
            )
        }
        return nil
    }
}

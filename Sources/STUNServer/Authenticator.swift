public import NetPrimitives
public import STUNCore

/// The long-term credential mechanism (RFC 8489 §9.2) without any memory: what it needs to know about a client is in the
/// client's own nonce.
public struct Authenticator: Sendable {
    /// Who may use the server.
    public let credentials: CredentialBook
    /// The maker and judge of nonces.
    public let nonces: NonceMinter
    private let nonceKey: NonceKey

    /// An authenticator for the realm of `credentials`.
    public init(credentials: CredentialBook, nonceKey: NonceKey) {
        self.credentials = credentials
        self.nonceKey = nonceKey
        nonces = NonceMinter(key: nonceKey, realm: credentials.realm, features: credentials.features)
    }

    /// The same authenticator with another book. Nonces stay good if realm and features do.
    public func replacing(_ credentials: CredentialBook) -> Authenticator {
        Authenticator(credentials: credentials, nonceKey: nonceKey)
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
        /// Its integrity is right and its nonce good. The answer is sealed with the second.
        case accepted(AuthenticatedUser, IntegritySeal)
        /// It gets an error answer (`ReplyWriter.refusal`).
        case refused(Refusal)
    }

    /// The error answers of RFC 8489 §9.2.4. None of them carries an integrity attribute.
    public enum Refusal: Hashable, Sendable, BitwiseCopyable, CaseIterable {
        /// 400: integrity without USERNAME, REALM or NONCE, or password algorithms that are not those offered.
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
    /// allocation that the request is about, if there is one: its keys then count for its name, while another name is
    /// looked up as usual, for the caller to compare (441).
    public func authenticate(
        _ message: MessageView,
        from client: Endpoint,
        unixSeconds: UInt64,
        expiry: ExpiryRule,
        keeping kept: AuthenticatedUser? = nil
    ) -> Outcome {
        guard let integrity = message.integrityAlgorithm else { return .refused(.unauthenticated) }
        let hasUser = message.contains(.username) || message.contains(.userhash)
        guard hasUser, message.contains(.realm), let nonce = message.first(.nonce),
            let choice = PasswordChoice(message)
        else { return .refused(.badRequest) }
        var signer: (user: CredentialBook.Candidate, key: IntegrityKey)?
        for candidate in candidates(for: message, kept: kept) {
            let username = candidate.owner?.username ?? ""
            let key = candidate.keys.key(choice.algorithm, username: username, realm: credentials.realm)
            guard message.verifyIntegrity(integrity, key: key) else { continue }
            signer = (candidate, key)
            break
        }
        guard let signer, let owner = signer.user.owner else { return .refused(.unauthenticated) }
        if expiry == .checked, let end = owner.expiry, end <= unixSeconds { return .refused(.unauthenticated) }
        let isGood = nonces.isGood(message.value(of: nonce), for: client.address, unixSeconds: unixSeconds)
        guard isGood else { return .refused(.staleNonce) }
        let seal = IntegritySeal(key: signer.key, algorithm: choice.sealAlgorithm)
        return .accepted(AuthenticatedUser(owner: owner, keys: signer.user.keys), seal)
    }

    /// Whose keys may have signed the message, never none. USERNAME counts before USERHASH.
    private func candidates(for message: MessageView, kept: AuthenticatedUser?) -> [CredentialBook.Candidate] {
        if message.contains(.username) {
            guard let username = message.text(.username) else { return credentials.nobody }
            if let kept, kept.isNamed(username) {
                return [CredentialBook.Candidate(owner: kept.owner, keys: kept.keys)]
            }
            return credentials.candidates(for: username)
        }
        guard let userhash = message.userhash else { return credentials.nobody }
        if let kept, userhash == Userhash(username: kept.username, realm: credentials.realm) {
            return [CredentialBook.Candidate(owner: kept.owner, keys: kept.keys)]
        }
        return credentials.candidates(for: userhash)
    }
}

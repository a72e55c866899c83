public import CallService
import Crypto
import Locking

/// Finds out by the homeserver who an access token belongs to, and remembers it for a short while under a hash of the token.
///
/// While the homeserver does not answer, whoever it vouched for lately goes on; nobody new is let in.
public final class MatrixTokenVerifier: TokenVerifier {
    /// Tokens whose owners are remembered, about.
    static let tokens = 100_000
    /// Tokens that are asked for at the same time; more: `unavailable`.
    static let questions = 1_000

    typealias Verdict = Result<Identity, AuthenticationFailure>
    typealias Digest = HMAC<SHA256>.MAC

    private let homeserver: HomeserverClient
    private let serverName: String
    private let patience: Patience
    private let now: @Sendable () -> ContinuousClock.Instant
    private let log: @Sendable (HomeserverReport) -> Void
    /// Lives as long as the process, so that what is remembered tells nothing about tokens.
    private let key = SymmetricKey(size: .bits256)
    private let known = Locked(Generations<Digest, Known<Verdict>>(size: tokens / 2))
    private let questions = SingleFlight<Digest, Verdict>(limit: questions)

    /// A verifier of the homeserver's tokens, whose users' ids end in `serverName`.
    public init(
        homeserver: HomeserverClient,
        serverName: String,
        patience: Patience = Patience(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        log: @escaping @Sendable (HomeserverReport) -> Void
    ) {
        self.homeserver = homeserver
        self.serverName = serverName
        self.patience = patience
        self.now = now
        self.log = log
    }

    /// Who the token belongs to, as the homeserver said lately or says now.
    public func verify(_ token: String) async throws(AuthenticationFailure) -> Identity {
        guard !token.isEmpty else { throw .missing }
        // It becomes a header field.
        guard token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalid(errcode: nil, isSoftLogout: nil)
        }
        let digest = digest(of: token)
        if let verdict = known.withLock({ $0.value(digest) })?.fresh(at: now()) { return try verdict.get() }
        // Whoever is known need not wait for a homeserver that has just not answered others.
        if homeserver.isInTrouble, case .success(let identity) = goOn(digest) {
            Task { _ = await self.questions.answer(digest) { await self.ask(AccessToken(token), digest) } }
            return identity
        }
        let verdict = await questions.answer(digest) { await self.ask(AccessToken(token), digest) }
        return try (verdict ?? .failure(.unavailable)).get()
    }

    /// The homeserver has refused the token elsewhere: what is remembered of it is not true any more.
    public func forget(_ token: AccessToken) {
        let digest = digest(of: token.text)
        known.withLock { $0.set(nil, for: digest) }
    }

    private func digest(of token: String) -> Digest {
        HMAC<SHA256>.authenticationCode(for: Array(token.utf8), using: key)
    }

    private func ask(_ token: AccessToken, _ digest: Digest) async -> Verdict {
        do throws(HomeserverFailure) {
            let owner = try await homeserver.whoAmI(token)
            guard owner.userID.hasForm else {
                log(.failed(operation: "whoami", .malformed))
                return goOn(digest)
            }
            let verdict = verdict(on: owner, token)
            remember(Known(verdict, at: now(), for: verdict.isGood ? patience.good : patience.badToken), digest)
            return verdict
        } catch {
            guard error.rejectsToken, case .refused(_, let errcode, let isSoftLogout) = error else {
                return goOn(digest)
            }
            let verdict = Verdict.failure(.invalid(errcode: errcode, isSoftLogout: isSoftLogout))
            remember(Known(verdict, at: now(), for: patience.badToken), digest)
            return verdict
        }
    }

    private func verdict(on owner: WhoAmI, _ token: AccessToken) -> Verdict {
        if owner.isGuest == true { return .failure(.guest) }
        if !owner.userID.hasSuffix(":" + serverName) { log(.foreignName(user: owner.userID)) }
        return .success(Identity(userID: owner.userID, deviceID: owner.deviceID, access: token))
    }

    /// The homeserver does not answer: what it said lately holds for a while.
    private func goOn(_ digest: Digest) -> Verdict {
        let now = now()
        let goingOn = known.withLock { known -> Known<Verdict>? in
            let goingOn = known.value(digest).flatMap { $0.value.isGood ? $0.goingOn(at: now, patience) : nil }
            known.set(goingOn, for: digest)
            return goingOn
        }
        return goingOn?.value ?? .failure(.unavailable)
    }

    private func remember(_ verdict: Known<Verdict>, _ digest: Digest) {
        known.withLock { $0.set(verdict, for: digest) }
    }
}

extension MatrixTokenVerifier.Verdict {
    fileprivate var isGood: Bool {
        if case .success = self { true } else { false }
    }
}

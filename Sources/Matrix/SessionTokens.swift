public import CallModel
public import CallService
import Crypto
import Foundation

/// Tokens of this server, for users who have none that the homeserver knows. A token says whose it is and until when, and is
/// signed, so that any node with the same secret takes it and nothing is stored. It cannot be taken back; it is good for an
/// hour at most.
public struct SessionTokens: Sendable {
    /// What every token begins with; no homeserver's does.
    public static let prefix = "crs1."
    /// Milliseconds for which a token is good at most.
    public static let lifetime: Int64 = 3_600_000

    private let keys: [SymmetricKey]

    /// Tokens signed with a key that is made of the first of `secrets`, and taken under any of them. Without a secret the key
    /// lives as long as this process.
    public init(secrets: [String]) {
        let purpose = Data("callrelay session tokens".utf8)
        keys = secrets.map {
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: Data($0.utf8)),
                info: purpose,
                outputByteCount: 32
            )
        }
        .orIfEmpty(SymmetricKey(size: .bits256))
    }

    /// A token for a user, good from `now` for `secondsToLive` and no longer than an hour.
    public func grant(_ user: UserID, secondsToLive: Int?, now: Timestamp) -> SessionGrant {
        let asked = Int64(clamping: min(max(secondsToLive ?? .max, 0), 86_400)) * 1_000
        let expiresAt = now.advanced(byMilliseconds: min(asked, Self.lifetime))
        let body = Self.base64URL(Data("\(expiresAt.milliseconds) \(user)".utf8))
        let signature = Self.base64URL(Data(code(of: body, keys[0])))
        return SessionGrant(token: "\(Self.prefix)\(body).\(signature)", userID: user, expiresAt: expiresAt)
    }

    /// Whose the token is; `nil` if it is none of ours, or not any more.
    public func user(of token: String, now: Timestamp) -> UserID? {
        guard token.hasPrefix(Self.prefix) else { return nil }
        let parts = token.dropFirst(Self.prefix.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let signature = Self.data(base64URL: parts[1]) else { return nil }
        let body = String(parts[0])
        // In constant time, as CryptoKit compares.
        let isOurs = keys.contains {
            HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: Data(body.utf8), using: $0)
        }
        guard isOurs, let text = Self.data(base64URL: parts[0]).flatMap({ String(data: $0, encoding: .utf8) })
        else { return nil }
        let words = text.split(separator: " ", maxSplits: 1)
        guard words.count == 2, let end = Int64(words[0]), now.milliseconds < end else { return nil }
        return String(words[1])
    }

    private func code(of body: String, _ key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Data(body.utf8), using: key)
    }

    private static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().filter { $0 != "=" }.reduce(into: "") { text, character in
            text.append(character == "+" ? "-" : character == "/" ? "_" : character)
        }
    }

    private static func data(base64URL text: Substring) -> Data? {
        var plain = text.reduce(into: "") { plain, character in
            plain.append(character == "-" ? "+" : character == "_" ? "/" : character)
        }
        while plain.utf8.count % 4 != 0 { plain.append("=") }
        return Data(base64Encoded: plain)
    }
}

extension Array {
    fileprivate func orIfEmpty(_ element: Element) -> [Element] { isEmpty ? [element] : self }
}

/// Takes tokens of this server, and hands all others to who knows the homeserver's.
public struct SessionTokenVerifier: TokenVerifier {
    private let sessions: SessionTokens
    private let others: any TokenVerifier
    private let clock: @Sendable () -> Timestamp

    /// A verifier of both kinds.
    public init(
        _ sessions: SessionTokens,
        others: any TokenVerifier,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.sessions = sessions
        self.others = others
        self.clock = clock
    }

    /// Who the token belongs to.
    public func verify(_ token: String) async throws(AuthenticationFailure) -> Identity {
        guard token.hasPrefix(SessionTokens.prefix) else { return try await others.verify(token) }
        guard let user = sessions.user(of: token, now: clock()) else {
            throw .invalid(errcode: nil, isSoftLogout: nil)
        }
        return Identity(userID: user)
    }
}

public import NetPrimitives
import STUNCore

/// The key of all nonces. One for all shards, so that a client may come back to another one.
public struct NonceKey: Sendable {
    let key: IntegrityKey

    /// A key from `generator`, which is the system's wherever the nonces protect something.
    public init(using generator: inout some RandomNumberGenerator) {
        var bytes: [UInt8] = []
        for _ in 0..<32 { bytes.append(UInt8.random(in: .min ... .max, using: &generator)) }
        key = IntegrityKey(bytes)
    }
}

/// Makes and judges nonces without remembering them (RFC 8489 §9.2).
///
/// A nonce is `obMatJos2`, four base64 characters for the 24 security features (none is set: neither password algorithms
/// nor user hashes are offered) and, in base64url, its expiry (four bytes), the port that asked (two) and 16 bytes of
/// HMAC-SHA256 over all of these, the client's address and the realm. The port is there because §9.2.4 forbids the same
/// nonce for two ports; it is not compared, since a client behind a NAT may come back from another one.
public struct NonceMinter: Sendable {
    /// For how long a nonce is good, in seconds.
    public static let lifetimeSeconds: UInt32 = 600
    private static let cookieAndFeatures = "obMatJos2AAAA"
    private static let codeLength = 16

    private let key: IntegrityKey
    private let realm: String

    /// A minter for `realm`.
    public init(key: NonceKey, realm: String) {
        self.key = key.key
        self.realm = realm
    }

    /// A nonce for a client at `client`; 43 characters.
    public func mint(for client: Endpoint, unixSeconds: UInt64) -> String {
        let expiry = UInt32(truncatingIfNeeded: unixSeconds) &+ Self.lifetimeSeconds
        return text(expiry: expiry, port: client.port, address: client.address)
    }

    /// Whether `nonce` was made here for a client at `address`, from any port, and has not expired. Compared in constant
    /// time.
    public func isGood(_ nonce: RawSpan, for address: IPAddress, unixSeconds: UInt64) -> Bool {
        guard let (expiry, port) = plainParts(nonce) else { return false }
        // Seconds are compared as a distance, which stays right when 32 bits of them wrap around.
        let left = expiry &- UInt32(truncatingIfNeeded: unixSeconds)
        guard left >= 1, left <= Self.lifetimeSeconds else { return false }
        return isEqualInConstantTime(nonce, text(expiry: expiry, port: port, address: address).utf8)
    }

    private func plainParts(_ nonce: RawSpan) -> (expiry: UInt32, port: UInt16)? {
        // Eight characters carry the first six bytes exactly.
        guard let characters = nonce.slice(at: Self.cookieAndFeatures.utf8.count, length: 8),
            let bytes = Base64.url.decode(characters)
        else { return nil }
        let plain = bytes.span.rawBytes
        guard let expiry = plain.uint32(at: 0), let port = plain.uint16(at: 4) else { return nil }
        return (expiry, port)
    }

    private func text(expiry: UInt32, port: UInt16, address: IPAddress) -> String {
        var plain = ByteWriter(capacity: 6)
        plain.append(expiry)
        plain.append(port)
        var covered = ByteWriter(capacity: 64 + realm.utf8.count)
        covered.append(Self.cookieAndFeatures)
        covered.append(plain.bytes)
        covered.append(address.family.rawValue)
        covered.append(address.high)
        covered.append(address.low)
        covered.append(realm)
        let code = key.authenticationCode(.sha256, over: covered.bytes.copied()).prefix(Self.codeLength)
        return Self.cookieAndFeatures + Base64.url.encode(plain.bytes.copied() + code)
    }
}

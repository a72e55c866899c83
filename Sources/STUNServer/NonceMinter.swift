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
/// A nonce is the nonce cookie with the server's security features and, in base64url, the lower two bytes of its expiry,
/// the port that asked (two) and 16 bytes of HMAC-SHA256 over cookie, whole expiry, port, the client's address and the
/// realm. So no feature can be taken out of it or put in. The port is there because §9.2.4 forbids the same nonce for two
/// ports; it is not compared, since a client behind a NAT may come back from another one.
public struct NonceMinter: Sendable {
    /// For how long a nonce is good, in seconds.
    public static let lifetimeSeconds: UInt16 = 600
    private static let codeLength = 16

    private let key: PreparedKey
    private let realm: [UInt8]
    private let cookie: [UInt8]

    /// A minter for `realm` whose nonces announce `features`.
    public init(key: NonceKey, realm: String, features: SecurityFeatures) {
        self.key = key.key.prepared(.sha256)
        self.realm = Array(realm.utf8)
        cookie = Array(features.cookie.utf8)
    }

    /// A nonce for a client at `client`; 40 characters.
    public func mint(for client: Endpoint, unixSeconds: UInt64) -> String {
        let expiry = unixSeconds &+ UInt64(Self.lifetimeSeconds)
        return String(decoding: characters(expiry: expiry, port: client.port, address: client.address), as: UTF8.self)
    }

    /// Whether `nonce` was made here for a client at `address`, from any port, and has not expired. Compared in constant
    /// time.
    public func isGood(_ nonce: RawSpan, for address: IPAddress, unixSeconds: UInt64) -> Bool {
        guard let (lowerExpiry, port) = plainParts(nonce) else { return false }
        // The one expiry within the lifetime from now that ends in these two bytes; an older nonce that ends so too has
        // another code.
        let left = lowerExpiry &- UInt16(truncatingIfNeeded: unixSeconds)
        guard left >= 1, left <= Self.lifetimeSeconds else { return false }
        let expected = characters(expiry: unixSeconds &+ UInt64(left), port: port, address: address)
        return isEqualInConstantTime(nonce, expected.span.rawBytes)
    }

    private func plainParts(_ nonce: RawSpan) -> (lowerExpiry: UInt16, port: UInt16)? {
        // Six characters carry the first four bytes.
        guard let characters = nonce.slice(at: SecurityFeatures.cookieLength, length: 6),
            let bytes = Base64.url.decode(characters)
        else { return nil }
        let plain = bytes.span.rawBytes
        guard let lowerExpiry = plain.uint16(at: 0), let port = plain.uint16(at: 2) else { return nil }
        return (lowerExpiry, port)
    }

    private func characters(expiry: UInt64, port: UInt16, address: IPAddress) -> [UInt8] {
        var covered = ByteWriter(capacity: 64 + realm.count)
        covered.append(cookie.span.rawBytes)
        covered.append(expiry)
        covered.append(port)
        covered.append(address.family.rawValue)
        covered.append(address.high)
        covered.append(address.low)
        covered.append(realm.span.rawBytes)
        let code = key.code(over: covered.bytes).prefix(Self.codeLength)
        let expiryAndPort = [expiry >> 8, expiry, UInt64(port >> 8), UInt64(port)].map(UInt8.init(truncatingIfNeeded:))
        return cookie + Base64.url.characters(expiryAndPort + code)
    }
}

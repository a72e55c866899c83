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
/// A nonce is `obMatJos2`, the security features (24 bits, none set: neither password algorithms nor user hashes are
/// offered), and in base64url one byte of its expiry and 16 bytes of HMAC-SHA256 over features, expiry, the client's
/// address without the port (a client behind a NAT may change it) and the realm. It is good for 592 to 600 seconds.
///
/// Only the expiry's last byte is in the text, in steps of eight seconds, and the code covers the whole: of the 34 minutes
/// that 256 steps make, ten lie ahead, and so a nonce names its expiry without ambiguity. This keeps the nonce at 36
/// bytes and a challenge to the smallest Allocate of browsers at three times the request.
public struct NonceMinter: Sendable {
    /// For how long a nonce is good at most, in seconds.
    public static let lifetimeSeconds: UInt64 = 600
    /// The nonce cookie of RFC 8489 §9.2 followed by the base64 form of 24 feature bits, none of them set.
    public static let prefix = "obMatJos2AAAA"
    private static let stepSeconds: UInt64 = 8
    private static let codeLength = 16

    private let key: IntegrityKey
    private let realm: String

    /// A minter for `realm`.
    public init(key: NonceKey, realm: String) {
        self.key = key.key
        self.realm = realm
    }

    /// A nonce for a client at `client`.
    public func mint(for client: IPAddress, unixSeconds: UInt64) -> String {
        let expiryStep = Self.step(unixSeconds) &+ Self.lifetimeSeconds / Self.stepSeconds
        return text(expiryStep: expiryStep, client: client)
    }

    /// Whether `nonce` was made here for a client at `client` and has not expired. Compared in constant time.
    public func isGood(_ nonce: RawSpan, for client: IPAddress, unixSeconds: UInt64) -> Bool {
        let offset = Self.prefix.utf8.count
        guard let first = nonce.uint8(at: offset), let second = nonce.uint8(at: offset &+ 1),
            let lowByte = Base64.url.decodeByte(first, second)
        else { return false }
        let current = Self.step(unixSeconds)
        let ahead = UInt64(lowByte &- UInt8(truncatingIfNeeded: current))
        guard ahead >= 1, ahead <= Self.lifetimeSeconds / Self.stepSeconds else { return false }
        return isEqualInConstantTime(nonce, text(expiryStep: current &+ ahead, client: client).utf8)
    }

    private static func step(_ unixSeconds: UInt64) -> UInt64 { unixSeconds / stepSeconds }

    private func text(expiryStep: UInt64, client: IPAddress) -> String {
        var covered = ByteWriter(capacity: 64 + realm.utf8.count)
        covered.append(Self.prefix)
        covered.append(expiryStep)
        covered.append(client.family.rawValue)
        covered.append(client.high)
        covered.append(client.low)
        covered.append(realm)
        let code = key.authenticationCode(.sha256, over: covered.bytes.copied()).prefix(Self.codeLength)
        return Self.prefix + Base64.url.encode([UInt8(truncatingIfNeeded: expiryStep)] + code)
    }
}

import STUNCore

/// A user name that carries its own expiry, and the password that a shared secret makes of it.
///
/// The form is the one of Synapse, coturn and Nextcloud: `username = <expiry>:<name>`, `password = base64(HMAC-SHA1(secret,
/// username))`.
public struct TimeLimitedCredential: Hashable, Sendable {
    /// `<expiry>:<name>`, the expiry in seconds of the Unix epoch.
    public let username: String
    /// 28 characters of base64.
    public let password: String

    /// Mints a credential that is good until `expiry` (seconds of the Unix epoch). `name` may hold further colons.
    public static func mint(secret: SharedSecret, expiry: UInt64, name: String) -> TimeLimitedCredential {
        let username = "\(expiry):\(name)"
        return TimeLimitedCredential(username: username, password: password(for: username, secret: secret))
    }

    /// Mints a credential for one user in one call, or outside any call; see `RelayUserTag`.
    public static func mint(
        secret: SharedSecret,
        expiry: UInt64,
        tag: RelayUserTag,
        callID: String?
    ) -> TimeLimitedCredential {
        mint(secret: secret, expiry: expiry, name: TimeLimitedUsername.ownName(tag: tag, callID: callID))
    }

    /// The password that `secret` makes of `username`.
    static func password(for username: String, secret: SharedSecret) -> String {
        Base64.standard.encode(secret.passwordKey.code(over: Array(username.utf8)))
    }
}

/// The parts of a time-limited user name.
public struct TimeLimitedUsername: Hashable, Sendable {
    /// Until when it is good, in seconds of the Unix epoch.
    public let expiry: UInt64
    private let afterColon: Substring

    /// Splits at the first colon; nil without a colon or if the part before it is no plain decimal number.
    public init?(parsing username: String) {
        guard let colon = username.utf8.firstIndex(of: UInt8(ascii: ":")), colon > username.startIndex else {
            return nil
        }
        var expiry: UInt64 = 0
        for digit in username.utf8[..<colon] {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            let (tens, isTooLarge) = expiry.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = tens.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
            guard !isTooLarge, !overflows else { return nil }
            expiry = sum
        }
        self.expiry = expiry
        afterColon = username[username.utf8.index(after: colon)...]
    }

    /// What follows the first colon, whole.
    public var name: String { String(afterColon) }

    /// The tag and the call of a name in our own form, `~<user tag>~<call>`; nil for names of other makers.
    public var own: (tag: RelayUserTag, callID: String?)? {
        let name = afterColon
        guard name.utf8.first == UInt8(ascii: "~") else { return nil }
        let rest = name[name.utf8.index(after: name.startIndex)...]
        guard let separator = rest.utf8.firstIndex(of: UInt8(ascii: "~")), separator != rest.startIndex else {
            return nil
        }
        let callID = String(rest[rest.utf8.index(after: separator)...])
        return (RelayUserTag(text: String(rest[..<separator])), callID.isEmpty ? nil : callID)
    }

    static func ownName(tag: RelayUserTag, callID: String?) -> String { "~\(tag.text)~\(callID ?? "")" }
}

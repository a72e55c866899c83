import NetPrimitives
import STUNCore

/// Which of a user's keys a request was signed with (RFC 8489 §9.2.4).
struct PasswordChoice: Hashable, BitwiseCopyable {
    /// What the server offers, the preferred one first.
    static let offered: [PasswordAlgorithm] = [.sha256, .md5]
    /// The value of PASSWORD-ALGORITHMS that the server sends and wants back unchanged.
    private static let offeredBytes: [UInt8] = offered.flatMap { [0, UInt8(truncatingIfNeeded: $0.rawValue), 0, 0] }

    /// How the key is made of the password.
    let algorithm: PasswordAlgorithm
    /// Whether the request names an algorithm, as clients of RFC 5389 never do.
    let isNamed: Bool

    /// What the request chose; nil if it gets 400.
    ///
    /// Under a nonce that announces password algorithms, a request names both the whole list and one of it, or neither.
    /// So a list that was shortened on its way to the client comes back and is noticed. A nonce that does not announce
    /// them was not made here, and the request fails by that in the end.
    init?(_ message: MessageView) {
        let list = message.first(.passwordAlgorithms)
        guard list != nil || message.contains(.passwordAlgorithm) else {
            algorithm = .md5
            isNamed = false
            return
        }
        isNamed = true
        let chosen = message.passwordAlgorithm
        let nonce = message.first(.nonce)
        let features = nonce.flatMap { SecurityFeatures(nonce: message.value(of: $0)) }
        guard features?.contains(.passwordAlgorithms) == true else {
            algorithm = chosen ?? .md5
            return
        }
        guard let list, isEqualInConstantTime(message.value(of: list), Self.offeredBytes.span.rawBytes),
            let chosen, Self.offered.contains(chosen)
        else { return nil }
        algorithm = chosen
    }

    /// The attribute that a response carries: RFC 8489 §9.2.4 goes by what the request names, not by what it carries.
    var sealAlgorithm: IntegrityAlgorithm { isNamed ? .sha256 : .sha1 }
}

import NetPrimitives
import Testing

@testable import STUNServer

@Suite("Security features")
struct SecurityFeaturesTests {
    private func features(_ nonce: String) -> SecurityFeatures? {
        let bytes = Array(nonce.utf8)
        return SecurityFeatures(nonce: bytes.span.rawBytes)
    }

    @Test(
        "bits count from the least significant one, as erratum 6290 and the sample of RFC 8489 B.1 have it",
        arguments: [
            ("obMatJos2AAAA", SecurityFeatures()), ("obMatJos2AAAB", .passwordAlgorithms),
            ("obMatJos2AAAC", .usernameAnonymity), ("obMatJos2AAAD", [.passwordAlgorithms, .usernameAnonymity]),
            ("obMatJos2gAAA", SecurityFeatures(rawValue: 1 << 23)), ("obMatJos2////", SecurityFeatures(rawValue: .max)),
        ] as [(String, SecurityFeatures)]
    )
    func cookies(cookie: String, expected: SecurityFeatures) {
        #expect(expected.cookie == cookie)
        #expect(features(cookie) == expected)
        #expect(features(cookie + "f//499k954d6OL34oL9FSTvy64sA") == expected)
    }

    @Test(
        "what is no nonce cookie announces nothing",
        arguments: ["", "obMatJos2", "obMatJos2AAA", "obMatJos1AAAB", "obMatJos2AA-_", "f//499k954d6OL34oL9FSTvy64sA"]
    )
    func none(nonce: String) {
        #expect(features(nonce) == nil)
    }
}

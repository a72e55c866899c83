import STUNCore
import Testing

@Suite("HMAC")
struct HMACTests {
    private static let longKey = [UInt8](repeating: 0xAA, count: 131)
    private static let aboutLongKeys = "Test Using Larger Than Block-Size Key - Hash Key First"

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test(
        "gives the codes of RFC 2202, of keys shorter and longer than a block",
        arguments: [
            (Array("Jefe".utf8), "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (Array(longKey.prefix(80)), aboutLongKeys, "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
            // Just a block; computed with another implementation.
            (Array(0..<64), "abc", "89e392852da6b647490d3f287218824a2e2101b0"),
        ] as [([UInt8], String, String)]
    )
    func sha1(key: [UInt8], text: String, code: String) {
        let prepared = IntegrityKey(key).prepared(.sha1)
        #expect(hexadecimal(prepared.code(over: Array(text.utf8))) == code)
        #expect(hexadecimal(prepared.code(over: Array(text.utf8))) == code, "a prepared key is used again")
    }

    @Test(
        "gives the codes of RFC 4231, of keys shorter and longer than a block",
        arguments: [
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (longKey, aboutLongKeys, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
            // Just a block; computed with another implementation.
            (Array(0..<64), "abc", "6ab541b4869dca71c4ca11d8bb1b02533b789a557583161429292c7404bc21f6"),
        ] as [([UInt8], String, String)]
    )
    func sha256(key: [UInt8], text: String, code: String) {
        let prepared = IntegrityKey(key).prepared(.sha256)
        #expect(hexadecimal(prepared.code(over: Array(text.utf8))) == code)
        #expect(hexadecimal(prepared.code(over: Array(text.utf8))) == code, "a prepared key is used again")
    }
}

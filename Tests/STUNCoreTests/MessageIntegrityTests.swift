import NetPrimitives
import STUNCore
import TestSupport
import Testing

@Suite("Message integrity")
struct MessageIntegrityTests {
    private let key = IntegrityKey.longTerm(username: "alice", realm: "callrelay", password: "secret")

    @Test(
        "a sealed message verifies under its key and its algorithm alone",
        arguments: [IntegrityAlgorithm.sha1, .sha256]
    )
    func sealing(algorithm: IntegrityAlgorithm) throws {
        let seal = IntegritySeal(key: key, algorithm: algorithm)
        let bytes = stunMessage(MessageType(.refresh, .request), sealedBy: seal, fingerprint: true) { builder in
            builder.appendUsername("alice")
        }
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let isRight = message.verifyIntegrity(algorithm, key: key)
        let isRightElsewhere = message.verifyIntegrity(algorithm == .sha1 ? .sha256 : .sha1, key: key)
        let other = IntegrityKey.longTerm(username: "alice", realm: "callrelay", password: "Secret")
        let isRightForOther = message.verifyIntegrity(algorithm, key: other)
        #expect(isRight && !isRightElsewhere && !isRightForOther)
    }

    @Test(
        "MESSAGE-INTEGRITY-SHA256 counts in its full 32 bytes alone, since TURN allows no shorter one",
        arguments: 0...36
    )
    func truncation(length: Int) throws {
        // The length field that the code covers ends at the attribute as it was cut, so it has to be computed for it.
        let prefix = stunMessage(MessageType(.refresh, .request)) { $0.appendUsername("alice") }
        var covered = prefix
        let padded = (length + 3) & ~3
        covered[3] = UInt8(prefix.count - 20 + 4 + padded)
        let code = key.authenticationCode(.sha256, over: covered) + [0, 0, 0, 0]
        let value = Array(code.prefix(length)) + [UInt8](repeating: 0, count: padded - length)
        let bytes = covered + [0x00, 0x1C, 0, UInt8(length)] + value
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let isRight = message.verifyIntegrity(.sha256, key: key)
        #expect(isRight == (length == 32))
    }

    @Test("keys follow user name, realm, password and algorithm")
    func keys() {
        let keys: [IntegrityKey] = [
            key, .longTerm(.sha256, username: "alice", realm: "callrelay", password: "secret"),
            .longTerm(username: "alicf", realm: "callrelay", password: "secret"),
            .longTerm(username: "alice", realm: "callrelai", password: "secret"),
        ]
        for (index, one) in keys.enumerated() {
            for (other, two) in keys.enumerated() { #expect((one == two) == (index == other)) }
        }
    }
}

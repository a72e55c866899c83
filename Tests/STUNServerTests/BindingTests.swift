import NetPrimitives
import STUNCore
import STUNServer
import Testing

@Suite("Binding")
struct BindingTests {
    @Test(
        "tells the client the address it was seen by, and adds FINGERPRINT when asked with one",
        arguments: ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"],
        [true, false]
    )
    func mappedAddress(text: String, withFingerprint: Bool) throws {
        let client = try Endpoint(parsing: text)
        var builder = MessageBuilder(capacity: 256)
        let transactionID = TransactionID(high: 0xB7E7_A701, low: 0xBC34_D686_FA87_DFAE)
        builder.begin(MessageType(.binding, .request), transactionID)
        let request = try #require(builder.finish(fingerprint: withFingerprint))
        let bytes = builder.bytes(in: request).copied()
        var replies = MessageBuilder(capacity: 256)
        let reply = try #require(
            Binding.respond(to: try MessageView(parsing: bytes.span.rawBytes), from: client, in: &replies)
        )
        let view = try MessageView(parsing: replies.bytes(in: reply))
        #expect(view.type == MessageType(.binding, .success))
        #expect(view.transactionID == transactionID)
        #expect(view.xorAddress(.xorMappedAddress) == client)
        #expect((view.fingerprint != nil) == withFingerprint)
        #expect(view.isFingerprintRight)
    }
}

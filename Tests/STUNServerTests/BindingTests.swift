import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
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
        let transactionID = TransactionID(high: 0xB7E7_A701, low: 0xBC34_D686_FA87_DFAE)
        let bytes = stunMessage(MessageType(.binding, .request), transactionID, fingerprint: withFingerprint)
        var replies = MessageBuilder(capacity: 256)
        let received = try MessageView(parsing: bytes.span.rawBytes)
        let reply = Binding.respond(to: received, from: client, in: &replies)
        let view = try MessageView(parsing: replies.bytes(in: try #require(reply)))
        let (type, identifier, fingerprint) = (view.type, view.transactionID, view.fingerprint)
        let (mapped, isFingerprintRight) = (view.xorAddress(.xorMappedAddress), view.isFingerprintRight)
        #expect(type == MessageType(.binding, .success))
        #expect(identifier == transactionID)
        #expect(mapped == client)
        #expect((fingerprint != nil) == withFingerprint)
        #expect(isFingerprintRight)
    }
}

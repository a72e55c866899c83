import CallModel
import Crypto
import Foundation
import Testing

@testable import Webhook

@Suite("Signatures of notices")
struct WebhookSignatureTests {
    @Test("The signature is the one that libraries of Standard Webhooks are tested with")
    func example() throws {
        let key = SymmetricKey(data: try #require(Data(base64Encoded: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))
        let notice = CallNotice(sequence: 1, id: "msg_p5jXN8AQM9LWM0D4loKWxJek", payload: #"{"test": 2432232314}"#)
        let signature = Webhook.signature(of: notice, seconds: 1_614_265_330, key: key)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }
}

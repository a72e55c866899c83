import CallModel
import CallService
import Crypto
import HTTPTypes
import Hummingbird
import SocketIO

extension APIRequest {
    /// What the `Idempotency-Key` names, if there is one.
    func repeatable(body: [UInt8]) throws(CallFailure) -> RepeatableRequest? {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        let digest = SHA256.hash(data: body).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        return try RepeatableRequest(key: key, route: request.uri.path, bodyHash: digest.joined())
    }
}

extension Response {
    /// The answer of a use case.
    init(_ answer: Answer) {
        self.init(json: answer.json, status: HTTPResponse.Status(code: answer.status))
    }
}

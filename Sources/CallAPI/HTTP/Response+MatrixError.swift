import HTTPTypes
import Hummingbird
import SocketIO

extension Response {
    /// A refusal in the form that a homeserver's have (Matrix client-server API, "Standard error response").
    init(
        matrixError errcode: String,
        _ status: HTTPResponse.Status,
        _ text: String? = nil,
        members: [(String, JSONText?)] = []
    ) {
        let known: [(String, JSONText?)] = [
            ("errcode", .string(errcode)), ("error", .string(text ?? status.reasonPhrase)),
        ]
        self.init(json: .object(known + members), status: status)
    }
}

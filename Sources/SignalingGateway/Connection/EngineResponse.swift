import NIOHTTP1
import SocketIO

/// An HTTP response to a request under the sockets' path.
struct EngineResponse {
    var status: HTTPResponseStatus
    var contentType: String?
    var body: String
    var fields: [(name: String, value: String)]

    init(_ answer: EngineAnswer) {
        switch answer {
        case .payload(let packets):
            self.init(status: .ok, contentType: "text/plain; charset=UTF-8", body: packets)
            fields = [("Cache-Control", "no-store")]
        case .accepted:
            self.init(status: .ok, contentType: "text/html", body: "ok")
            fields = [("Cache-Control", "no-store")]
        case .error(let error): self.init(error)
        case .refused: self.init(status: .badRequest)
        case .tooLarge: self.init(status: .payloadTooLarge)
        case .unsupportedMethod: self.init(status: .internalServerError)
        }
    }

    /// A refusal; of a session that another server opened it says so, since the client can do nothing about it.
    init(_ error: EngineRequestError, isElsewhere: Bool = false) {
        let status = HTTPResponseStatus(statusCode: error.status)
        let cause = isElsewhere && error == .unknownSession ? Self.elsewhere : nil
        self.init(status: status, contentType: "application/json", body: error.body(cause: cause))
    }

    private static let elsewhere = """
        Another server opened it: long polling needs a balancer that keeps a session on one server; WebSockets do not.
        """

    init(
        status: HTTPResponseStatus,
        contentType: String? = nil,
        body: String = "",
        fields: [(name: String, value: String)] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.fields = fields
    }

    /// The head to send.
    func head(version: HTTPVersion, closes: Bool) -> HTTPResponseHead {
        var headers = HTTPHeaders()
        headers.reserveCapacity(8)
        if let contentType {
            headers.add(name: "Content-Type", value: contentType)
        }
        headers.add(name: "Content-Length", value: String(body.utf8.count))
        for field in fields {
            headers.add(name: field.name, value: field.value)
        }
        if closes {
            headers.add(name: "Connection", value: "close")
        } else if version.major == 1, version.minor == 0 {
            headers.add(name: "Connection", value: "keep-alive")
        }
        return HTTPResponseHead(version: version, status: status, headers: headers)
    }
}

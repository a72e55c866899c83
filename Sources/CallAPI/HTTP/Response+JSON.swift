import HTTPTypes
import Hummingbird
import NIOCore
import SocketIO

extension Response {
    /// An answer of JSON text. Answers carry credentials or the state of a moment, so nothing may keep them.
    init(
        json: JSONText,
        status: HTTPResponse.Status = .ok,
        type: String = "application/json",
        headers: HTTPFields = [:]
    ) {
        var headers = headers
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        headers[.xContentTypeOptions] = "nosniff"
        self.init(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: json.text)))
    }
}

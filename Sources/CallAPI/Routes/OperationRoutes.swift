import Hummingbird
import NIOCore
import SocketIO

/// Health, readiness and the API's own description; open to everybody.
struct OperationRoutes {
    let readiness: @Sendable () async -> Readiness

    var all: [APIRoute] {
        [
            .get("/healthz") { _ in Response(json: .object([("status", "ok")])) },
            .get("/readyz") { _ in
                switch await readiness() {
                case .ready: return Response(json: .object([("status", "ready")]))
                case .notReady(let code, let detail): throw Problem(.serviceUnavailable, code, detail)
                }
            },
            .get("/openapi.json") { _ in
                Response(
                    status: .ok,
                    headers: [.contentType: "application/json", .cacheControl: "no-cache"],
                    body: ResponseBody(byteBuffer: ByteBuffer(bytes: OpenAPIDocument.bytes))
                )
            },
        ]
    }
}

/// Whether requests can be served.
public enum Readiness: Sendable {
    case ready
    /// `code` is `store_unavailable` or `draining`; `detail` a sentence.
    case notReady(code: String, detail: String)
}

/// The description of the API, OpenAPI 3.1, as it lies in `openapi.json`.
enum OpenAPIDocument {
    static let bytes: [UInt8] = PackageResources.openapi_json
}

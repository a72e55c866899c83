import HTTPTypes
import Hummingbird

/// One entry of the API: what the router is built from and the OpenAPI document is compared with.
struct APIRoute: Sendable {
    let method: HTTPRequest.Method
    /// With parameters in braces, as OpenAPI writes them and the router reads them.
    let path: String
    let answer: @Sendable (APIRequest) async throws -> Response

    static func get(_ path: String, _ answer: @escaping @Sendable (APIRequest) async throws -> Response) -> APIRoute {
        APIRoute(method: .get, path: path, answer: answer)
    }

    static func post(_ path: String, _ answer: @escaping @Sendable (APIRequest) async throws -> Response) -> APIRoute {
        APIRoute(method: .post, path: path, answer: answer)
    }
}

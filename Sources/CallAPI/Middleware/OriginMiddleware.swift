import HTTPTypes
import Hummingbird
import SocketIO

/// Lets pages of the configured origins use the API: answers their preflights and marks their answers (the Fetch
/// standard's CORS protocol). The policy is the one that the sockets go by.
struct OriginMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let policy: CORSPolicy
    /// Whether pages of any origin may read what a homeserver would have answered: the Matrix specification wants it of every
    /// homeserver. Not where a token is nobody's secret.
    let answersMatrixClients: Bool

    private static let methods = "GET, HEAD, POST"
    private static let headers = "Authorization, Content-Type, Idempotency-Key"
    private static let secondsToKeep = "7200"

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let isMatrix = answersMatrixClients && request.uri.path.hasPrefix("/_matrix/client/")
        let policy = isMatrix ? CORSPolicy(origins: .any) : policy
        let origin = request.headers[.origin]
        let isPreflight =
            policy.origins != .none && origin != nil && request.method == .options
            && request.headers[.accessControlRequestMethod] != nil
        var response = isPreflight ? Self.preflight : try await next(request, context)
        for field in policy.fields(for: origin) {
            guard let name = HTTPField.Name(field.name) else { continue }
            response.headers.append(HTTPField(name: name, value: field.value))
            // A page may read the body of its own accord, but header fields only if they are named.
            if name == .accessControlAllowOrigin { response.headers[.accessControlExposeHeaders] = "Retry-After" }
        }
        return response
    }

    private static var preflight: Response {
        Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: methods,
                .accessControlAllowHeaders: headers,
                .accessControlMaxAge: secondsToKeep,
            ]
        )
    }
}

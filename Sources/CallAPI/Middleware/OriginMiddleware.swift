import HTTPTypes
import Hummingbird

/// Lets pages of the configured origins use the API: answers their preflights and marks their answers (Fetch §3.2).
struct OriginMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let origins: APIConfiguration.Origins

    private static let methods = "GET, POST, OPTIONS"
    private static let headers = "Authorization, Content-Type, Idempotency-Key"
    private static let secondsToKeep = "7200"

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin] else { return varying(try await next(request, context)) }
        guard let allowed = allowedOrigin(origin) else {
            if isPreflight(request) { return varying(Response(status: .noContent)) }
            return varying(try await next(request, context))
        }
        var response = isPreflight(request) ? preflight() : try await next(request, context)
        response.headers[.accessControlAllowOrigin] = allowed
        response.headers[.accessControlExposeHeaders] = "Retry-After"
        return varying(response)
    }

    private func isPreflight(_ request: Request) -> Bool {
        request.method == .options && request.headers[.accessControlRequestMethod] != nil
    }

    private func preflight() -> Response {
        Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: Self.methods,
                .accessControlAllowHeaders: Self.headers,
                .accessControlMaxAge: Self.secondsToKeep,
            ]
        )
    }

    private func allowedOrigin(_ origin: String) -> String? {
        switch origins {
        case .none: nil
        case .any: "*"
        case .listed(let list): list.contains(origin.lowercased()) ? origin : nil
        }
    }

    /// Where the answer depends on the origin, caches are told so, for requests without one too.
    private func varying(_ response: Response) -> Response {
        guard case .listed = origins else { return response }
        var response = response
        response.headers[.vary] = "Origin"
        return response
    }
}

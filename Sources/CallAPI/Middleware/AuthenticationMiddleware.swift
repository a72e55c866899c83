import CallService
import HTTPTypes
import Hummingbird

/// Asks for a bearer token under `/api` and puts into the context who it belongs to. It stands before the router: whether
/// there is such a path and such a method is nothing to tell a stranger.
struct AuthenticationMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let verifier: any TokenVerifier

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard Self.covers(path: request.uri.path) else { return try await next(request, context) }
        guard let token = Self.bearerToken(request.headers[.authorization]) else {
            throw AuthenticationFailure.missing
        }
        var context = context
        context.identity = try await verifier.verify(token)
        return try await next(request, context)
    }

    /// Whether the path's first segment is `api`, and it is not that of the login. Empty segments do not count, as they do not
    /// for the router.
    static func covers(path: String) -> Bool {
        let segments = path.split(separator: "/")
        return segments.first == "api" && segments != LoginRoutes.path.split(separator: "/")
    }

    /// The token of `Bearer TOKEN`; the scheme's case does not matter (RFC 9110 §11.1).
    static func bearerToken(_ field: String?) -> String? {
        guard let field else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let token = parts[1].drop { $0 == " " }
        return token.isEmpty ? nil : String(token)
    }
}

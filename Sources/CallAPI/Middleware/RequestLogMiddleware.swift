import HTTPTypes
import Hummingbird
import Logging

/// One line a request: method, path, status, time. No query, no header, no body: those carry tokens and signals.
struct RequestLogMiddleware: RouterMiddleware {
    typealias Context = APIContext

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let began = ContinuousClock.now
        let response = try await next(request, context)
        let elapsed = ContinuousClock.now - began
        let milliseconds = elapsed.components.seconds * 1_000 + elapsed.components.attoseconds / 1_000_000_000_000_000
        // Probes come every few seconds, and a homeserver tells of every event in every room; neither says anything while it
        // succeeds.
        let path = request.uri.path
        let isProbe = ["/healthz", "/readyz"].contains(path) || path.hasPrefix("/_matrix/app/")
        context.logger.log(
            level: isProbe && response.status == .ok ? .trace : .info,
            "request",
            metadata: [
                "method": "\(request.method)",
                "path": "\(request.uri.path)",
                "status": "\(response.status.code)",
                "ms": "\(milliseconds)",
            ]
        )
        return response
    }
}

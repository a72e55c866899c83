import HTTPTypes
import Hummingbird
import NetPrimitives

/// In dev mode, answers requests to loopback names only: a page elsewhere that lets its own name point to 127.0.0.1
/// would otherwise speak to a server that believes every token.
struct HostMiddleware: RouterMiddleware {
    typealias Context = APIContext

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard LoopbackName.matches(authority: request.head.authority) else {
            throw Problem(
                .misdirectedRequest,
                "misdirected_host",
                "AUTH_MODE=dev answers loopback names only, such as localhost."
            )
        }
        return try await next(request, context)
    }
}

/// Which `Host` values mean this machine.
public enum LoopbackName {
    /// Whether `authority` (`host[:port]`) is localhost or a loopback address. A missing one is none.
    public static func matches(authority: String?) -> Bool {
        guard let authority else { return false }
        let host: Substring
        if authority.hasPrefix("[") {
            host = authority.dropFirst().prefix { $0 != "]" }
        } else {
            host = authority.prefix { $0 != ":" }
        }
        let name = host.lowercased()
        if name == "localhost" || name.hasSuffix(".localhost") { return true }
        return (try? IPAddress(parsing: name))?.isLoopback ?? false
    }
}

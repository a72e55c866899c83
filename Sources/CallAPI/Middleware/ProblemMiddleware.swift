import CallModel
import CallService
import HTTPTypes
import Hummingbird
import Logging

/// Turns whatever goes wrong behind it into `application/problem+json`.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = APIContext

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            return problem.response
        } catch let failure as CallFailure {
            return Problem(failure).response
        } catch let failure as AuthenticationFailure {
            return Problem(failure).response
        } catch let error as any HTTPResponseError {
            // Hummingbird's own: an unknown path, or a request that it cannot read.
            if error.status == .notFound { return Problem.notFound.response }
            return Problem(error.status, "invalid_request", error.status.reasonPhrase).response
        } catch is CancellationError {
            return Problem(.serviceUnavailable, "draining", "The server is stopping.").response
        } catch {
            context.logger.error("request failed", metadata: ["error": "\(error)"])
            return Problem(.internalServerError, "internal_error", "The server could not answer.").response
        }
    }
}

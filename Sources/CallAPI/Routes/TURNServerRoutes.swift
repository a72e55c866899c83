import CallModel
import CallService
import HTTPTypes
import Hummingbird
import Signaling
import SocketIO

/// What Matrix clients ask their homeserver for: `GET /_matrix/client/…/voip/turnServer` of the client-server API. A reverse
/// proxy that sends this one path here gives every client of the homeserver our relay.
///
/// Answers and refusals have the homeserver's form, not ours.
struct TURNServerRoutes {
    let calls: CallService
    let verifier: any TokenVerifier

    private static let versions: Set = ["r0", "v1", "v3"]

    var all: [APIRoute] { [.get("/_matrix/client/{version}/voip/turnServer", answer)] }

    @Sendable private func answer(_ request: APIRequest) async throws -> Response {
        guard let version = request.context.parameters.get("version"), Self.versions.contains(version) else {
            return Response(matrixError: "M_UNRECOGNIZED", .notFound, "There is nothing here.")
        }
        let identity: Identity
        do throws(AuthenticationFailure) {
            identity = try await verifier.verify(Self.token(of: request))
        } catch {
            return Self.refusal(error)
        }
        guard let answer = calls.iceServers(by: identity).turnServerJSON else {
            // An empty list is what clients cannot stand.
            return Response(matrixError: "M_NOT_FOUND", .notFound, "This server has no relay.")
        }
        return Response(json: answer)
    }

    /// As the specification says: a header field, or, of old, in the query.
    private static func token(of request: APIRequest) -> String {
        AuthenticationMiddleware.bearerToken(request.request.headers[.authorization])
            ?? request.query("access_token") ?? ""
    }

    private static func refusal(_ failure: AuthenticationFailure) -> Response {
        switch failure {
        case .missing: Response(matrixError: "M_MISSING_TOKEN", .unauthorized, failure.message)
        case .invalid(let errcode, let isSoftLogout):
            Response(
                matrixError: errcode ?? "M_UNKNOWN_TOKEN",
                .unauthorized,
                failure.message,
                members: [("soft_logout", .boolean(isSoftLogout ?? false))]
            )
        case .guest: Response(matrixError: "M_GUEST_ACCESS_FORBIDDEN", .forbidden, failure.message)
        case .otherUser, .serverNotListed: Response(matrixError: "M_FORBIDDEN", .forbidden, failure.message)
        case .unavailable: Response(matrixError: "M_UNKNOWN", .serviceUnavailable, failure.message)
        }
    }
}

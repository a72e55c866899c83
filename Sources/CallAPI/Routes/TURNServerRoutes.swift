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
            return Self.refusal(.notFound, "M_UNRECOGNIZED", "There is nothing here.")
        }
        let identity: Identity
        do throws(AuthenticationFailure) {
            identity = try await verifier.verify(Self.token(of: request))
        } catch {
            return Self.refusal(error)
        }
        guard let answer = calls.iceServers(by: identity).turnServerJSON else {
            // An empty list is what clients cannot stand.
            return Self.refusal(.notFound, "M_NOT_FOUND", "This server has no relay.")
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
        case .missing: refusal(.unauthorized, "M_MISSING_TOKEN", failure.message)
        case .invalid(let errcode, let isSoftLogout):
            refusal(
                .unauthorized,
                errcode ?? "M_UNKNOWN_TOKEN",
                failure.message,
                [("soft_logout", .boolean(isSoftLogout ?? false))]
            )
        case .guest: refusal(.forbidden, "M_GUEST_ACCESS_FORBIDDEN", failure.message)
        case .otherUser, .serverNotListed: refusal(.forbidden, "M_FORBIDDEN", failure.message)
        case .unavailable: refusal(.serviceUnavailable, "M_UNKNOWN", failure.message)
        }
    }

    private static func refusal(
        _ status: HTTPResponse.Status,
        _ errcode: String,
        _ text: String,
        _ members: [(String, JSONText?)] = []
    ) -> Response {
        let known: [(String, JSONText?)] = [("errcode", .string(errcode)), ("error", .string(text))]
        return Response(json: .object(known + members), status: status)
    }
}

import CallModel
import CallService
import Hummingbird
import Signaling
import SocketIO

/// The way in for users of other homeservers; open to everybody, and therefore counted by address.
struct LoginRoutes {
    static let path = "/api/auth/openid"

    let openID: (any OpenIDLogin)?
    let logins: InitiateRateLimiter

    /// Longer than any homeserver's.
    private static let tokenLength = 8_192
    private static let nameLength = 255

    var all: [APIRoute] { [.post(Self.path, login)] }

    @Sendable private func login(_ request: APIRequest) async throws -> Response {
        if let wait = logins.admit(user: nil, address: request.clientAddress, now: .now) {
            throw Problem.rateLimited(secondsUntilFree: Int(wait.components.seconds) + 1, "Too many logins; wait.")
        }
        let bytes = try await request.request.bytes(limit: request.configuration.maxBody)
        let body = try CallRequestBody(bytes: bytes, limit: request.configuration.maxBody)
        let token = try body.requiredString("access_token", limit: Self.tokenLength)
        let serverName = try body.requiredString("matrix_server_name", limit: Self.nameLength)
        let seconds = try body.count("expires_in").map { Int(clamping: $0) }
        guard let openID else { throw AuthenticationFailure.serverNotListed }
        let proof = OpenIDProof(serverName: serverName, token: AccessToken(token), secondsToLive: seconds)
        let grant = try await openID.login(proof)
        return Response(
            json: .object([
                ("token", .string(grant.token)), ("userId", .string(grant.userID)),
                ("expiresAt", .string(grant.expiresAt.rfc3339)),
            ])
        )
    }
}

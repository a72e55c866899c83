import CallModel
import CallService
import Crypto
import HTTPTypes
import Hummingbird
import NetPrimitives
import Signaling

/// A request as routes see it: read on demand, each part checked when it is asked for.
struct APIRequest: Sendable {
    let request: Request
    let context: APIContext
    let configuration: APIConfiguration

    /// Who is asking. Routes ask for it themselves, so that none is open because a middleware was forgotten.
    func identity() throws -> Identity {
        guard let identity = context.identity else { throw AuthenticationFailure.missing }
        return identity
    }

    /// The call that the path names; an id that cannot be one of ours names no call.
    func callID() throws -> CallID {
        guard let id = context.parameters.get("callId").flatMap(CallID.init) else { throw CallFailure.callNotFound }
        return id
    }

    /// The body's bytes and members, with a `userId` that may not be another's.
    func body() async throws -> (members: CallRequestBody, bytes: [UInt8]) {
        let bytes = try await request.bytes(limit: configuration.maxBody)
        let members = try CallRequestBody(bytes: bytes, limit: configuration.maxBody)
        try members.requireUser(identity().userID)
        return (members, bytes)
    }

    /// A query parameter, undecoded forms such as `+` resolved.
    func query(_ name: String) -> String? {
        request.uri.queryParameters[Substring(name)].map(String.init)
    }

    /// The `limit` of a list.
    func pageLimit() throws -> Int? {
        guard let text = query("limit") else { return nil }
        guard let limit = Int(text), limit > 0 else {
            throw CallFailure.invalid(detail: "limit must be a whole number of at least 1.")
        }
        return limit
    }

    /// Where the request came from, behind trusted proxies.
    var clientAddress: IPAddress? {
        ClientAddress(trustedProxies: configuration.trustedProxies).resolve(
            peer: context.peerAddress,
            forwardedFor: request.headers[values: .xForwardedFor]
        )
    }
}

extension HTTPField.Name {
    static let xForwardedFor = HTTPField.Name("X-Forwarded-For") ?? .via
    static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .ifMatch
}

import CallModel
public import CallService
import Crypto
import HTTPTypes
import Hummingbird
import SocketIO

/// What a homeserver asks of its application services (Matrix application service API). Only the homeserver has the token.
struct AppServiceRoutes {
    let listener: any HomeserverListener
    /// What the homeserver shows.
    let token: AccessToken

    /// Bytes of a transaction: a homeserver sends up to a hundred events, each of 64 KiB at most.
    private static let sizeLimit = 16 << 20
    /// Events and users of a transaction.
    private static let countLimit = 10_000

    var all: [APIRoute] {
        [
            APIRoute(method: .put, path: "/_matrix/app/v1/transactions/{transactionId}", answer: take),
            APIRoute(method: .put, path: "/transactions/{transactionId}", answer: take),
            .post("/_matrix/app/v1/ping") { request in try authorised(request) { Response(json: .object([])) } },
            .get("/_matrix/app/v1/users/{userId}", unknown), .get("/users/{userId}", unknown),
            .get("/_matrix/app/v1/rooms/{alias}", unknown), .get("/rooms/{alias}", unknown),
        ]
    }

    /// Users and aliases are made by nobody here.
    @Sendable private func unknown(_ request: APIRequest) async throws -> Response {
        try authorised(request) { Response(matrixError: "M_NOT_FOUND", .notFound) }
    }

    @Sendable private func take(_ request: APIRequest) async throws -> Response {
        // Before anything of the body is read.
        if let refusal = refusal(of: request) { return refusal }
        let bytes = try await request.request.bytes(limit: Self.sizeLimit)
        let json: JSONText
        do throws(JSONFailure) {
            json = try JSONText(validating: bytes, limits: JSONLimits(maximumBytes: Self.sizeLimit))
        } catch {
            return Response(matrixError: "M_NOT_JSON", .badRequest)
        }
        guard let events = json["events"]?.elements(limit: Self.countLimit) else {
            return Response(matrixError: "M_BAD_JSON", .badRequest)
        }
        try await listener.hear(
            HomeserverTransaction(
                events: events.compactMap(Self.event),
                usersWithChangedDevices: Self.changedDevices(json)
            )
        )
        return Response(json: .object([]))
    }

    /// What cannot be read is passed over: the homeserver would send it for ever.
    private static func event(_ json: JSONText) -> HomeserverTransaction.Event? {
        guard let type = json["type"]?.stringValue, let room = json["room_id"]?.stringValue,
            room.utf8.count <= CallLimits.identifierLength, let sender = json["sender"]?.stringValue
        else { return nil }
        return HomeserverTransaction.Event(
            type: type,
            roomID: room,
            stateKey: json["state_key"]?.stringValue,
            id: json["event_id"]?.stringValue ?? "",
            sender: sender,
            content: json["content"] ?? .object([]),
            age: Int64((json["unsigned"]?["age"] ?? json["age"])?.integerValue ?? 0)
        )
    }

    /// By the specification's name, or by that of the proposal (MSC3202).
    private static func changedDevices(_ json: JSONText) -> Set<UserID> {
        let lists = json["device_lists"] ?? json["org.matrix.msc3202.device_lists"]
        return Set((lists?["changed"]?.elements(limit: countLimit) ?? []).compactMap(\.stringValue))
    }

    private func authorised(_ request: APIRequest, _ answer: () -> Response) throws -> Response {
        refusal(of: request) ?? answer()
    }

    /// `nil` for the homeserver. Digests are compared, which takes as long for any token.
    private func refusal(of request: APIRequest) -> Response? {
        let shown =
            AuthenticationMiddleware.bearerToken(request.request.headers[.authorization])
            ?? request.query("access_token")
        guard let shown else { return Response(matrixError: "M_MISSING_TOKEN", .unauthorized) }
        let isHomeserver = SHA256.hash(data: Array(shown.utf8)) == SHA256.hash(data: Array(token.text.utf8))
        return isHomeserver ? nil : Response(matrixError: "M_FORBIDDEN", .forbidden)
    }
}

/// The homeserver's way to this server.
public struct AppServiceAccess: Sendable {
    let listener: any HomeserverListener
    let token: AccessToken

    /// The homeserver shows `token`, and is heard by `listener`.
    public init(listener: any HomeserverListener, token: String) {
        self.listener = listener
        self.token = AccessToken(token)
    }
}

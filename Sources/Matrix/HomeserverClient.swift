import AsyncHTTPClient
import CallModel
import CallService
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// Asks one homeserver by the client-server API. Requests go to the URL that the operator gave, and to no other: redirects are
/// not followed.
public final class HomeserverClient: Sendable {
    /// Seconds for a connection, and for a whole answer.
    static let timeout: Int64 = 5
    /// Bytes of an ordinary answer.
    static let answerLimit = 65_536
    /// Bytes of a list of a room's members.
    static let memberListLimit = 4 << 20
    /// Connections at the same time; further requests wait for one.
    static let connections = 32

    private let client: HTTPClient
    private let log: @Sendable (HomeserverReport) -> Void

    /// A client of the homeserver whose client-server API lies at `url`, such as `https://matrix.example.org`.
    public init(url: String, log: @escaping @Sendable (HomeserverReport) -> Void) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.log = log
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(Self.timeout), read: .seconds(Self.timeout))
        // Trying again is for whoever waits to decide; tries that are ever further apart outlast the trouble.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connections
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Where the homeserver is, without a slash at the end.
    let url: String

    private let trouble = Atomic(false)
    /// Whether it did not answer the last question.
    var isInTrouble: Bool { trouble.load(ordering: .relaxed) }

    /// Closes the connections.
    public func close() async throws { try await client.shutdown() }

    /// Whether a homeserver answers there.
    public func checkVersions() async throws(HomeserverFailure) {
        _ = try await get(Versions.self, "/_matrix/client/versions", as: "versions")
    }

    /// Who a token belongs to.
    func whoAmI(_ token: AccessToken) async throws(HomeserverFailure) -> WhoAmI {
        let credential = HomeserverCredential(token)
        return try await get(WhoAmI.self, "/_matrix/client/v3/account/whoami", credential, as: "whoami")
    }

    /// A user's membership of a room, in the homeserver's words: `join`, `leave`, …; `nil` if the room has none of the user.
    func membership(
        of user: String,
        in room: String,
        _ credential: HomeserverCredential
    ) async throws(HomeserverFailure) -> String? {
        do throws(HomeserverFailure) {
            return try await state("m.room.member", key: user, Member.self, of: room, credential)?.membership
        } catch {
            guard case .refused(status: 403, _, _) = error else { throw error }
            // Who asks is not in the room.
            return nil
        }
    }

    /// The ids of those who are in a room.
    func joinedMembers(of room: String, _ credential: HomeserverCredential) async throws(HomeserverFailure) -> [String]
    {
        let path = Self.path(of: room) + "/joined_members"
        let answer = try await get(
            JoinedMembers.self,
            path,
            credential,
            limit: Self.memberListLimit,
            as: "joined_members"
        )
        return answer.joined.keys.sorted()
    }

    /// Content of the room's state; `nil` if there is none of this type and key.
    func state<Content: Decodable>(
        _ type: String,
        key: String = "",
        _ content: Content.Type,
        of room: String,
        _ credential: HomeserverCredential,
        wholeEvent: Bool = false
    ) async throws(HomeserverFailure) -> Content? {
        let path = Self.path(of: room) + "/state/\(type)/" + PathSegment.encode(key)
        do throws(HomeserverFailure) {
            return try await get(content, path + (wholeEvent ? "?format=event" : ""), credential, as: "state")
        } catch {
            guard case .refused(status: 404, errcode: "M_NOT_FOUND", _) = error else { throw error }
            return nil
        }
    }

    /// Sends an event to a room in the name of the token's user; answers its id. The same transaction id again is the same event
    /// again.
    func send(
        _ event: RoomEvent,
        to room: String,
        _ credential: HomeserverCredential
    ) async throws(HomeserverFailure) -> String {
        let transaction = PathSegment.encode(event.transactionID)
        let path = Self.path(of: room) + "/send/\(PathSegment.encode(event.type))/\(transaction)"
        return try await request(SentEvent.self, path, credential, .PUT, content: event.content, as: "send").eventID
    }

    /// Asks the homeserver to call back, which also makes it deliver at once what it put off. Whether it could.
    public func ping(_ service: AppService) async throws(HomeserverFailure) {
        let path = "/_matrix/client/v1/appservice/\(AppService.id)/ping"
        _ = try await request(Pong.self, path, HomeserverCredential(service.token), .POST, content: "{}", as: "ping")
    }

    /// Whose an OpenID token is, by the federation API.
    func openIDUser(_ token: AccessToken) async throws(HomeserverFailure) -> String {
        // The specification wants it in the query.
        let query = "?access_token=" + PathSegment.encode(token.text)
        let path = "/_matrix/federation/v1/openid/userinfo" + query
        return try await get(UserInfo.self, path, as: "openid").sub
    }

    private static func path(of room: String) -> String { "/_matrix/client/v3/rooms/" + PathSegment.encode(room) }

    private func get<Answer: Decodable>(
        _ type: Answer.Type,
        _ path: String,
        _ credential: HomeserverCredential? = nil,
        limit: Int = answerLimit,
        as operation: String
    ) async throws(HomeserverFailure) -> Answer {
        try await request(type, path, credential, limit: limit, as: operation)
    }

    private func request<Answer: Decodable>(
        _ type: Answer.Type,
        _ path: String,
        _ credential: HomeserverCredential?,
        _ method: HTTPMethod = .GET,
        content: String? = nil,
        limit: Int = answerLimit,
        as operation: String
    ) async throws(HomeserverFailure) -> Answer {
        let result = await answer(path, credential, method, content, limit).flatMap { answer in
            Result { try JSONDecoder().decode(type, from: answer) }.mapError { _ in HomeserverFailure.malformed }
        }
        switch result {
        case .success, .failure(.refused), .failure(.limited):
            trouble.store(false, ordering: .relaxed)
            log(.answered(operation: operation))
        case .failure(let failure):
            trouble.store(true, ordering: .relaxed)
            log(.failed(operation: operation, failure))
        }
        return try result.get()
    }

    private func answer(
        _ path: String,
        _ credential: HomeserverCredential?,
        _ method: HTTPMethod,
        _ content: String?,
        _ limit: Int
    ) async -> Result<Data, HomeserverFailure> {
        var request = HTTPClientRequest(url: url + path + (credential?.query(behind: path) ?? ""))
        request.method = method
        if let content { request.body = .bytes(ByteBuffer(string: content)) }
        request.headers = ["accept": "application/json", "user-agent": "callrelay"]
        if let token = credential?.token.text { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        do {
            let response: Response
            do {
                response = try await exchange(request, limit)
            } catch let error as HTTPClientError where error == .remoteConnectionClosed && method == .GET {
                // It was closed while nobody used it.
                response = try await exchange(request, limit)
            }
            if (200...299).contains(response.status) { return .success(response.body) }
            return .failure(Self.failure(of: response.status, response.body))
        } catch is NIOTooManyBytesError {
            return .failure(.tooLarge)
        } catch let error as HTTPClientError {
            return .failure(.unavailable(reason: error.shortDescription))
        } catch {
            // Nothing of the request, which has the token, is in errors of the network.
            return .failure(.unavailable(reason: "\(type(of: error)): \(error)"))
        }
    }

    private struct Response: Sendable {
        let status: UInt
        let body: Data
    }

    /// Sends a request and takes the whole answer within the time for both.
    private func exchange(_ request: HTTPClientRequest, _ limit: Int) async throws -> Response {
        try await withThrowingTaskGroup(of: Response?.self) { [client] group in
            group.addTask {
                let response = try await client.execute(request, timeout: .seconds(Self.timeout))
                let body = try await response.body.collect(upTo: limit)
                return Response(status: response.status.code, body: Data(body.readableBytesView))
            }
            group.addTask {
                try await Task.sleep(for: .seconds(Self.timeout))
                return nil
            }
            defer { group.cancelAll() }
            guard let response = try await group.next() ?? nil else { throw HTTPClientError.deadlineExceeded }
            return response
        }
    }

    private static func failure(of status: UInt, _ body: Data) -> HomeserverFailure {
        let words = try? JSONDecoder().decode(Refusal.self, from: body)
        if status == 429 { return .limited(milliseconds: words?.retryAfterMilliseconds) }
        if status >= 500 { return .unavailable(reason: "it answered \(status)") }
        // A proxy's 404, or that of something which is no homeserver, is not a homeserver's word.
        guard let words, (400...499).contains(status) else { return .malformed }
        return .refused(status: status, errcode: words.errcode, isSoftLogout: words.softLogout)
    }
}

/// What the operator should know of asking a homeserver.
public enum HomeserverReport: Sendable {
    /// It answered; what it said is the asking user's matter.
    case answered(operation: String)
    /// It did not answer, or nothing that a homeserver should.
    case failed(operation: String, HomeserverFailure)
    /// It knows a user by another server's name than the one that was configured.
    case foreignName(user: String)
}

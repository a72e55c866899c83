import CallModel
import CallService
import CallStore
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Locking
import NIOCore
import Signaling
import SocketIO

@testable import CallAPI

/// The API over a real call service and a database of its own, without a network.
struct APIHarness {
    let client: any TestClientProtocol
    let clock: TestClock

    /// Runs `body` against a fresh server.
    static func run(
        _ configuration: APIConfiguration = APIConfiguration(),
        verifier: any TokenVerifier = DevTokenVerifier(),
        readiness: Readiness = .ready,
        _ body: @escaping @Sendable (APIHarness) async throws -> Void
    ) async throws {
        try await withAPI(configuration, verifier: verifier, readiness: readiness) { api, clock in
            let application = Application(router: api.router())
            try await application.test(.router) { client in
                try await body(APIHarness(client: client, clock: clock))
            }
        }
    }

    /// The routes of a server.
    static func routes(_ body: ([APIRoute]) throws -> Void) async throws {
        try await withAPI { api, _ in try body(api.routes) }
    }

    private static func withAPI(
        _ configuration: APIConfiguration = APIConfiguration(),
        verifier: any TokenVerifier = DevTokenVerifier(),
        readiness: Readiness = .ready,
        _ body: (CallAPI, TestClock) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "callapi-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let store = try SQLiteCallStore(path: directory.appending(path: "calls.db").path)
        _ = try await store.migrate()
        let clock = TestClock()
        let hub = Hub()
        let calls = CallService(
            store: store,
            hub: hub,
            rooms: DevRoomDirectory(hub: hub),
            iceServers: FixedICEServers(),
            policy: CallPolicy(),
            clock: { clock.now() },
            log: { _ in }
        )
        let api = CallAPI(calls: calls, verifier: verifier, configuration: configuration, readiness: { readiness })
        try await body(api, clock)
        try store.close()
    }

    /// One request; `user` is the local part of a dev user.
    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        as user: String? = nil,
        _ body: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Reply {
        var headers = headers
        if let user { headers[.authorization] = "Bearer dev:@\(user):localhost" }
        let buffer = body.map { ByteBuffer(string: $0) }
        return try await client.execute(uri: path, method: method, headers: headers, body: buffer) { response in
            Reply(status: response.status.code, headers: response.headers, text: String(buffer: response.body))
        }
    }

    /// Places a call of alice's to bob in a room; answers its id.
    func place(room: String = "!room:localhost", group: Bool = false) async throws -> String {
        let body = #"{"roomId":"\#(room)","invitees":["@bob:localhost"],"group":\#(group)}"#
        let reply = try await send(.post, "/api/calls/initiate", as: "alice", body)
        return reply["callId"]?.stringValue ?? "no call: \(reply.text)"
    }
}

/// An answer with its JSON.
struct Reply: Sendable {
    let status: Int
    let headers: HTTPFields
    let text: String

    /// A member of the body, if that is an object.
    subscript(name: String) -> JSONText? { (try? JSONText(validating: text))?[name] }

    /// The stable code of a problem; nil if the answer is none, by its media type.
    var problem: String? {
        headers[.contentType] == "application/problem+json" ? self["code"]?.stringValue : nil
    }
}

/// A wall clock that tests turn on.
final class TestClock: Sendable {
    private let milliseconds = Locked<Int64>(1_800_000_000_000)

    func now() -> Timestamp { Timestamp(milliseconds: milliseconds.withLock { $0 }) }
}

/// One relay with a credential that names user and call.
struct FixedICEServers: ICEServerProvider {
    func iceServers(for user: UserID, call: CallID?, relayOnly: Bool, now: Timestamp) -> ICEConfiguration {
        let server = ICEConfiguration.Server(
            urls: ["turn:192.0.2.1:3478?transport=udp"],
            username: "\(user)|\(call?.rawValue ?? "")",
            credential: "secret"
        )
        return ICEConfiguration(
            servers: [server],
            transportPolicy: relayOnly ? .relay : .all,
            secondsToLive: 60,
            expiresAt: now.advanced(byMilliseconds: 60_000)
        )
    }
}

/// A verifier whose homeserver is away, or says no in its own words.
struct FailingVerifier: TokenVerifier {
    let failure: AuthenticationFailure

    func verify(_ token: String) async throws(AuthenticationFailure) -> Identity { throw failure }
}

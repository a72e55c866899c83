import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import SocketIO

/// The REST calls that a script makes.
struct CallAPIClient: Sendable {
    let http: HTTPClient
    let server: ServerURL

    /// Places a call and answers its id.
    func initiate(roomID: String, invitees: [String], by user: BenchUser) async throws -> String {
        let body = JSONText.object([
            ("roomId", .string(roomID)), ("invitees", .array(invitees.map(JSONText.string))),
            ("group", invitees.count > 1 ? true : nil),
        ])
        let answer = try await post("/api/calls/initiate", body.text, by: user, expecting: 201)
        guard let id = answer["callId"]?.stringValue else { throw CallBenchFailure("initiate answered without callId") }
        return id
    }

    /// Takes a call.
    func answer(_ callID: String, by user: BenchUser) async throws {
        _ = try await post("/api/calls/\(callID)/answer", "{}", by: user, expecting: 200)
    }

    /// Ends a call.
    func end(_ callID: String, by user: BenchUser) async throws {
        _ = try await post("/api/calls/\(callID)/end", "{}", by: user, expecting: 200)
    }

    /// Sends one candidate, as a client does that has no socket at the moment.
    func candidate(_ candidate: String, in callID: String, by user: BenchUser) async throws {
        let body = "{\"candidate\":\(candidate)}"
        _ = try await post("/api/calls/\(callID)/ice-candidate", body, by: user, expecting: 202)
    }

    private func post(
        _ path: String,
        _ body: String,
        by user: BenchUser,
        expecting status: UInt
    ) async throws -> JSONText {
        var request = HTTPClientRequest(url: server.base + path)
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(user.token)")
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await http.execute(request, timeout: .seconds(60))
        let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
        guard response.status.code == status, let json = try? JSONText(validating: text) else {
            throw CallBenchFailure("\(path) answered \(response.status.code): \(text.prefix(300))")
        }
        return json
    }
}

/// One of the generator's users, with a token of dev mode.
struct BenchUser: Sendable {
    let name: String

    /// The user of this number in a run; `run` keeps runs against one server apart.
    init(run: String, number: Int) { name = "@bench-\(run)-\(number):localhost" }

    var token: String { "dev:\(name)" }

    /// What CONNECT carries.
    var auth: String { JSONText.object([("token", .string(token))]).text }
}

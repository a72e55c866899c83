import AsyncHTTPClient
import CallBench
import NIOCore
import NIOHTTP1
import SocketIO

/// A client over long polling: a request that waits at the server, and now and then a pong.
struct PollingClient: Sendable {
    private let http: HTTPClient
    private let url: String

    /// Opens a session and enters the main namespace.
    static func connect(_ context: BenchContext, _ user: BenchUser, http: HTTPClient) async throws -> PollingClient {
        let base = context.server.base + "/socket.io/?EIO=4&transport=polling"
        let opening = PollingClient(http: http, url: base)
        let handshake = try await opening.get()
        guard handshake.hasPrefix("0"), let opened = try? JSONText(validating: String(handshake.dropFirst())),
            let sid = opened["sid"]?.stringValue
        else { throw CallBenchFailure("no handshake: \(handshake.prefix(200))") }
        let client = PollingClient(http: http, url: base + "&sid=" + sid)
        try await client.post("40" + user.auth)
        guard case .connected = ClientPacket(try await client.get()) else {
            throw CallBenchFailure("the server refused a polling client")
        }
        return client
    }

    /// Polls and answers pings until the task is cancelled or the server ends the session.
    func stay() async throws {
        while !Task.isCancelled {
            let body = try await get()
            for packet in body.split(separator: "\u{1E}") where ClientPacket(String(packet)) == .ping {
                try await post("3")
            }
        }
    }

    private func get() async throws -> String {
        let response = try await http.execute(HTTPClientRequest(url: url), timeout: .seconds(90))
        guard response.status == .ok else { throw CallBenchFailure("a poll was answered \(response.status.code)") }
        return String(buffer: try await response.body.collect(upTo: 1 << 22))
    }

    private func post(_ body: String) async throws {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await http.execute(request, timeout: .seconds(60))
        guard response.status == .ok else { throw CallBenchFailure("a post was answered \(response.status.code)") }
        _ = try await response.body.collect(upTo: 1 << 16)
    }
}

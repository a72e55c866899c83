import HTTPTypes
import SocketIO
import Testing

@testable import CallAPI

@Suite("Pages of other origins")
struct OriginTests {
    private static let preflight: HTTPFields = [
        .origin: "https://app.example",
        .accessControlRequestMethod: "POST",
        .accessControlRequestHeaders: "authorization,content-type,idempotency-key",
    ]

    @Test("a preflight of a listed origin is answered for every route, without a token")
    func preflight() async throws {
        var configuration = APIConfiguration()
        configuration.cors = CORSPolicy(list: "https://app.example")
        try await APIHarness.run(configuration) { api in
            let paths = [
                "/api/calls/initiate", "/api/calls/x/answer", "/api/calls/x/reject", "/api/calls/x/end",
                "/api/calls/x/offer", "/api/calls/x/answer-sdp", "/api/calls/x/ice-candidate",
                "/api/calls/x/toggle-audio", "/api/calls/x/toggle-video", "/api/calls/x/status", "/api/calls/x/events",
                "/api/calls/active", "/api/calls/history", "/api/calls/ice-servers", "/healthz", "/openapi.json",
            ]
            for path in paths {
                let reply = try await api.send(.options, path, headers: Self.preflight)
                #expect(reply.status == 204, "\(path)")
                #expect(reply.headers[.accessControlAllowOrigin] == "https://app.example")
                let allowed = reply.headers[.accessControlAllowHeaders] ?? ""
                for name in ["Authorization", "Content-Type", "Idempotency-Key"] { #expect(allowed.contains(name)) }
                #expect(reply.headers[.accessControlAllowMethods]?.contains("POST") == true)
            }
        }
    }

    @Test("answers are readable for a listed origin, errors too, and marked for caches")
    func answers() async throws {
        var configuration = APIConfiguration()
        configuration.cors = CORSPolicy(list: "https://app.example")
        try await APIHarness.run(configuration) { api in
            let refused = try await api.send(.get, "/api/calls/active", headers: [.origin: "https://app.example"])
            #expect(refused.status == 401)
            #expect(refused.headers[.accessControlAllowOrigin] == "https://app.example")
            #expect(refused.headers[.vary] == "Origin")
            #expect(refused.headers[.accessControlExposeHeaders] == "Retry-After")
            let foreign = try await api.send(.get, "/healthz", headers: [.origin: "https://evil.example"])
            #expect(foreign.headers[.accessControlAllowOrigin] == nil)
            #expect(foreign.headers[.vary] == "Origin")
        }
    }

    @Test("without configured origins nobody else's page is let in")
    func none() async throws {
        try await APIHarness.run { api in
            let reply = try await api.send(.options, "/api/calls/initiate", headers: Self.preflight)
            #expect(reply.status == 401)
            #expect(reply.headers[.accessControlAllowOrigin] == nil)
        }
    }

    @Test(
        "in dev mode loopback names alone are answered",
        arguments: [
            ("localhost", true), ("localhost:3000", true), ("127.0.0.1:3000", true), ("127.8.9.1", true),
            ("[::1]:3000", true), ("app.localhost", true), ("LOCALHOST", true), ("evil.example", false),
            ("127.0.0.1.evil.example", false), ("192.0.2.1", false), ("[2001:db8::1]:3000", false), ("", false),
        ]
    )
    func hosts(authority: String, isLoopback: Bool) {
        #expect(LoopbackName.matches(authority: authority) == isLoopback)
    }

    @Test("a request without a host is not to a loopback name")
    func noHost() {
        #expect(!LoopbackName.matches(authority: nil))
    }
}

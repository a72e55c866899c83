import CallAPI
import HTTPTypes
import SocketIO
import Testing

@Suite("Health and the call page")
struct OperationTests {
    @Test("health and readiness answer without a token")
    func health() async throws {
        try await APIHarness.run { api in
            let health = try await api.send(.get, "/healthz")
            #expect(health.text == #"{"status":"ok"}"#)
            let readiness = try await api.send(.get, "/readyz")
            #expect(readiness.text == #"{"status":"ready"}"#)
        }
        try await APIHarness.run(readiness: .notReady(code: "draining", detail: "…")) { api in
            let reply = try await api.send(.get, "/readyz")
            #expect(reply.status == 503)
            #expect(reply.problem == "draining")
        }
    }

    @Test("the page and its files come with types, a policy and a validator")
    func page() async throws {
        try await APIHarness.run { api in
            let page = try await api.send(.get, "/")
            #expect(page.status == 200)
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.headers[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
            #expect(page.headers[.xContentTypeOptions] == "nosniff")
            let tag = try #require(page.headers[.eTag])
            let again = try await api.send(.get, "/", headers: [.ifNoneMatch: tag])
            #expect(again.status == 304)
            #expect(again.text.isEmpty)
            let script = try await api.send(.get, "/js/main.js")
            #expect(script.headers[.contentType] == "text/javascript; charset=utf-8")
            let head = try await api.send(.head, "/")
            #expect(head.status == 200)
            #expect(head.text.isEmpty)
        }
    }
}

import CallAPI
import CallService
import HTTPTypes
import SocketIO
import Testing

@Suite("Refused requests")
struct RefusalTests {
    @Test(
        "without a token that is taken, everything under /api is 401",
        arguments: [nil, "Basic abc", "Bearer", "Bearer nonsense", "Bearer dev:alice"]
    )
    func unauthorized(field: String?) async throws {
        try await APIHarness.run { api in
            var headers: HTTPFields = [:]
            headers[.authorization] = field
            let unknown = ["/api", "/api/", "/api/nothing", "/api/calls/x", "/api/calls//status"]
            for path in ["/api/calls/active", "/api/calls/x/status", "//api/calls/active"] + unknown {
                for method: HTTPRequest.Method in [.get, .delete, .trace, .connect] {
                    let reply = try await api.send(method, path, headers: headers)
                    #expect(reply.status == 401, "\(method) \(path)")
                    #expect(["missing_token", "invalid_token"].contains(reply.problem))
                    #expect(reply.headers[.wwwAuthenticate] == "Bearer")
                }
            }
        }
    }

    @Test("a homeserver's words pass through, and its absence is 503")
    func homeserver() async throws {
        let refusing = FailingVerifier(failure: .invalid(errcode: "M_UNKNOWN_TOKEN", isSoftLogout: true))
        try await APIHarness.run(verifier: refusing) { api in
            let reply = try await api.send(.get, "/api/calls/active", as: "alice")
            #expect(reply.status == 401)
            #expect(reply["errcode"] == "M_UNKNOWN_TOKEN")
            #expect(reply["soft_logout"] == true)
        }
        try await APIHarness.run(verifier: FailingVerifier(failure: .unavailable)) { api in
            let reply = try await api.send(.get, "/api/calls/active", as: "alice")
            #expect(reply.status == 503)
            #expect(reply.problem == "auth_unavailable")
        }
    }

    @Test("outside the audience every act on a call is 403, an unknown call is 404")
    func audience() async throws {
        try await APIHarness.run { api in
            let id = try await api.place()
            let acts: [(HTTPRequest.Method, String, String?)] = [
                (.get, "status", nil), (.get, "events", nil), (.post, "answer", "{}"), (.post, "reject", "{}"),
                (.post, "end", "{}"), (.post, "offer", #"{"offer":{"type":"offer","sdp":""}}"#),
                (.post, "answer-sdp", #"{"answer":{"type":"answer","sdp":""}}"#),
                (.post, "ice-candidate", #"{"candidate":null}"#), (.post, "toggle-audio", #"{"enabled":true}"#),
                (.post, "toggle-video", #"{"enabled":true}"#),
            ]
            for (method, act, body) in acts {
                let outside = try await api.send(method, "/api/calls/\(id)/\(act)", as: "mallory", body)
                #expect(outside.status == 403, "\(act)")
                #expect(outside.problem == "forbidden")
                for unknown in ["AAAAAAAAAAAAAAAAAAAAAAAA", "no%20call"] {
                    let reply = try await api.send(method, "/api/calls/\(unknown)/\(act)", as: "alice", body)
                    #expect(reply.status == 404, "\(act)")
                    #expect(reply.problem == "call_not_found")
                }
            }
        }
    }

    @Test("a userId that is not the token's is 403, the token's own is fine")
    func otherUser() async throws {
        try await APIHarness.run { api in
            let id = try await api.place()
            let other = try await api.send(.post, "/api/calls/\(id)/end", as: "alice", #"{"userId":"@bob:localhost"}"#)
            #expect(other.status == 403)
            #expect(other.problem == "user_mismatch")
            let own = try await api.send(.post, "/api/calls/\(id)/end", as: "alice", #"{"userId":"@alice:localhost"}"#)
            #expect(own.status == 200)
        }
    }

    @Test(
        "what is no JSON object is 400",
        arguments: [
            ("{", "malformed_json"), ("{} {}", "malformed_json"), ("[]", "invalid_request"), ("7", "invalid_request"),
        ]
    )
    func malformed(body: String, code: String) async throws {
        try await APIHarness.run { api in
            let reply = try await api.send(.post, "/api/calls/initiate", as: "alice", body)
            #expect(reply.status == 400)
            #expect(reply.problem == code)
        }
    }

    @Test("no body at all is an empty object")
    func emptyBody() async throws {
        try await APIHarness.run { api in
            let reply = try await api.send(.post, "/api/calls/initiate", as: "alice")
            #expect(reply.status == 400)
            #expect(reply["detail"]?.stringValue == "roomId is missing.")
        }
    }

    @Test("a body beyond the limit is 413, announced or not, and nesting beyond it 400")
    func oversize() async throws {
        var configuration = APIConfiguration()
        configuration.maxBody = 1_024
        try await APIHarness.run(configuration) { api in
            let large = #"{"roomId":"\#(String(repeating: "r", count: 1_024))"}"#
            for headers: HTTPFields in [[:], [.contentLength: "\(large.utf8.count)"]] {
                let reply = try await api.send(.post, "/api/calls/initiate", as: "alice", large, headers: headers)
                #expect(reply.status == 413)
                #expect(reply.problem == "body_too_large")
            }
            let deep = String(repeating: "[", count: 400) + String(repeating: "]", count: 400)
            let reply = try await api.send(.post, "/api/calls/initiate", as: "alice", deep)
            #expect(reply.status == 400)
        }
    }

    @Test("an unknown path is 404, a known one with another method 405 with those that there are")
    func unknownPathAndMethod() async throws {
        try await APIHarness.run { api in
            for path in ["/nothing", "/api/calls/x/nothing", "/js/../openapi.json"] {
                let reply = try await api.send(.get, path, as: "alice")
                #expect(reply.status == 404, "\(path)")
                #expect(reply.problem == "not_found")
            }
            let get = try await api.send(.get, "/api/calls/initiate", as: "alice")
            #expect(get.status == 405)
            #expect(get.problem == "method_not_allowed")
            #expect(get.headers[.allow] == "POST")
            for path in ["/healthz", "/"] {
                for method: HTTPRequest.Method in [.delete, .trace] {
                    let reply = try await api.send(method, path)
                    #expect(reply.status == 405, "\(method) \(path)")
                    #expect(reply.headers[.allow] == "GET")
                }
            }
        }
    }

    @Test("a cursor or limit that is none is 400", arguments: ["cursor=x!", "limit=0", "limit=many"])
    func page(query: String) async throws {
        try await APIHarness.run { api in
            let reply = try await api.send(.get, "/api/calls/history?\(query)", as: "alice")
            #expect(reply.status == 400)
            #expect(reply.problem == "invalid_request")
        }
    }
}

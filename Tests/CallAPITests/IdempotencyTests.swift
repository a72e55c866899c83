import CallAPI
import HTTPTypes
import SocketIO
import Testing

@Suite("Idempotency-Key")
struct IdempotencyTests {
    private static let body = #"{"roomId":"!r:localhost","invitees":["@bob:localhost"]}"#

    private static func key(_ text: String) throws -> HTTPFields {
        let name = try #require(HTTPField.Name("Idempotency-Key"))
        return [name: text]
    }

    @Test("a repeated initiate is answered with the same call and fresh credentials, not 409")
    func initiate() async throws {
        try await APIHarness.run { api in
            let key = try Self.key("one")
            let first = try await api.send(.post, "/api/calls/initiate", as: "alice", Self.body, headers: key)
            let again = try await api.send(.post, "/api/calls/initiate", as: "alice", Self.body, headers: key)
            #expect(first.status == 201)
            #expect(again.status == 201)
            #expect(again["callId"] == first["callId"])
            #expect(again["iceServers"] != nil)
        }
    }

    @Test("a repetition after the call's end is 410 and carries no credential")
    func ended() async throws {
        try await APIHarness.run { api in
            let key = try Self.key("one")
            let first = try await api.send(.post, "/api/calls/initiate", as: "alice", Self.body, headers: key)
            let path = "/api/calls/\(try #require(first["callId"]?.stringValue))"
            let answer = try await api.send(.post, "\(path)/answer", as: "bob", headers: key)
            #expect(answer["iceServers"] != nil)
            _ = try await api.send(.post, "\(path)/end", as: "alice", headers: key)
            for (who, path) in [("alice", "/api/calls/initiate"), ("bob", "\(path)/answer")] {
                let body = who == "alice" ? Self.body : ""
                let again = try await api.send(.post, path, as: who, body, headers: key)
                #expect(again.status == 410 && again.problem == "call_ended")
                #expect(again["iceServers"] == nil && again["call"]?["state"] == "ended")
            }
            let end = try await api.send(.post, "\(path)/end", as: "alice", headers: key)
            #expect(end.status == 200, "what hands out no credential is answered as before")
        }
    }

    @Test("the same key with another body is 422, of another user or on another route it is another key")
    func scope() async throws {
        try await APIHarness.run { api in
            let key = try Self.key("one")
            let first = try await api.send(.post, "/api/calls/initiate", as: "alice", Self.body, headers: key)
            let id = try #require(first["callId"]?.stringValue)
            let other = try await api.send(.post, "/api/calls/initiate", as: "alice", Self.body + " ", headers: key)
            #expect(other.status == 422)
            #expect(other.problem == "idempotency_mismatch")
            let bob = try await api.send(.post, "/api/calls/initiate", as: "bob", Self.body + " ", headers: key)
            #expect(bob.status == 200)
            let end = try await api.send(.post, "/api/calls/\(id)/end", as: "alice", headers: key)
            #expect(end["state"] == "ended")
        }
    }

    @Test("a refused request leaves its key free")
    func refusal() async throws {
        try await APIHarness.run { api in
            let key = try Self.key("one")
            let id = try await api.place()
            let path = "/api/calls/\(id)/toggle-audio"
            let refused = try await api.send(.post, path, as: "bob", #"{"enabled":false}"#, headers: key)
            #expect(refused.status == 409)
            _ = try await api.send(.post, "/api/calls/\(id)/answer", as: "bob")
            let taken = try await api.send(.post, path, as: "bob", #"{"enabled":false}"#, headers: key)
            #expect(taken.status == 200)
            let again = try await api.send(.post, path, as: "bob", #"{"enabled":false}"#, headers: key)
            #expect(again.text == taken.text)
        }
    }

    @Test("a key of no or too many bytes is 400", arguments: ["", String(repeating: "k", count: 256)])
    func length(key: String) async throws {
        try await APIHarness.run { api in
            let fields = try Self.key(key)
            let reply = try await api.send(.post, "/api/calls/initiate", as: "alice", Self.body, headers: fields)
            #expect(reply.status == 400)
        }
    }
}

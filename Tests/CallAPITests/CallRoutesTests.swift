import CallAPI
import CallModel
import HTTPTypes
import SocketIO
import Testing

@Suite("Call routes")
struct CallRoutesTests {
    @Test("a call is placed with 201 and the members of call and ICE in one object")
    func initiate() async throws {
        try await APIHarness.run { api in
            let body = #"{"roomId":"!r:localhost","callType":"video","invitees":["@bob:localhost"],"relayOnly":true}"#
            let reply = try await api.send(.post, "/api/calls/initiate", as: "alice", body)
            #expect(reply.status == 201)
            #expect(reply.headers[.contentType] == "application/json")
            #expect(reply.headers[.cacheControl] == "no-store")
            #expect(reply["state"] == "ringing")
            #expect(reply["callType"] == "video")
            #expect(reply["createdBy"] == "@alice:localhost")
            #expect(reply["iceTransportPolicy"] == "relay")
            #expect(reply["ttl"] == 60)
            let id = try #require(reply["callId"]?.stringValue)
            let server = try #require(reply["iceServers"]?.elements()?.first)
            #expect(server["username"]?.stringValue == "@alice:localhost|\(id)")
        }
    }

    @Test("the first to answer takes the call, another device hears answered_elsewhere, an ended call is 410")
    func answer() async throws {
        try await APIHarness.run { api in
            let id = try await api.place()
            let first = try await api.send(.post, "/api/calls/\(id)/answer", as: "bob", #"{"deviceId":"phone"}"#)
            #expect(first.status == 200)
            #expect(first["state"] == "connecting")
            #expect(first["iceServers"] != nil)
            let again = try await api.send(.post, "/api/calls/\(id)/answer", as: "bob", #"{"deviceId":"phone"}"#)
            #expect(again.status == 200)
            let other = try await api.send(.post, "/api/calls/\(id)/answer", as: "bob", #"{"deviceId":"tablet"}"#)
            #expect(other.status == 409)
            #expect(other.problem == "answered_elsewhere")
            _ = try await api.send(.post, "/api/calls/\(id)/end", as: "alice")
            let late = try await api.send(.post, "/api/calls/\(id)/answer", as: "bob", #"{"deviceId":"phone"}"#)
            #expect(late.status == 410)
            #expect(late.problem == "call_ended")
            #expect(late["call"]?["callId"]?.stringValue == id)
        }
    }

    @Test("a second call in the room is 409 with the call that is there")
    func roomIsTaken() async throws {
        try await APIHarness.run { api in
            let id = try await api.place()
            let body = #"{"roomId":"!room:localhost","invitees":["@dora:localhost"]}"#
            let reply = try await api.send(.post, "/api/calls/initiate", as: "carol", body)
            #expect(reply.status == 409)
            #expect(reply.problem == "call_exists")
            #expect(reply["call"]?["callId"]?.stringValue == id)
        }
    }

    @Test("reject and end are idempotent and say why and who")
    func rejectAndEnd() async throws {
        try await APIHarness.run { api in
            let rejected = try await api.place(room: "!a:localhost")
            let reply = try await api.send(.post, "/api/calls/\(rejected)/reject", as: "bob", #"{"reason":"busy"}"#)
            #expect(reply.status == 200)
            #expect(reply["state"] == "ended")
            #expect(reply["endReason"] == "busy")
            #expect(reply["endedBy"] == "@bob:localhost")
            let again = try await api.send(.post, "/api/calls/\(rejected)/reject", as: "bob")
            #expect(again.status == 200)
            #expect(again["seq"] == reply["seq"])
            let cancelled = try await api.place(room: "!b:localhost")
            let end = try await api.send(.post, "/api/calls/\(cancelled)/end", as: "alice", "{}")
            #expect(end["endReason"] == "cancelled")
        }
    }

    @Test("status, active, history and events tell the same story, without ICE and without payloads")
    func lists() async throws {
        try await APIHarness.run { api in
            let ended = try await api.place(room: "!a:localhost")
            _ = try await api.send(.post, "/api/calls/\(ended)/end", as: "alice")
            let active = try await api.place(room: "!b:localhost")
            let status = try await api.send(.get, "/api/calls/\(active)/status", as: "bob")
            #expect(status.status == 200)
            #expect(status["iceServers"] == nil)
            let calls = try await api.send(.get, "/api/calls/active", as: "bob")
            #expect(calls["calls"]?.elements()?.compactMap { $0["callId"]?.stringValue } == [active])
            let history = try await api.send(.get, "/api/calls/history?limit=1", as: "bob")
            #expect(history["items"]?.elements()?.compactMap { $0["callId"]?.stringValue } == [ended])
            #expect(history["nextCursor"] == nil)
            let events = try await api.send(.get, "/api/calls/\(ended)/events?limit=1", as: "alice")
            #expect(events["items"]?.elements()?.first?["kind"] == "initiated")
            let cursor = try #require(events["nextCursor"]?.stringValue)
            let rest = try await api.send(.get, "/api/calls/\(ended)/events?cursor=\(cursor)", as: "alice")
            #expect(rest["items"]?.elements()?.last?["kind"] == "ended")
        }
    }

    @Test("ICE servers are to be had outside a call")
    func iceServers() async throws {
        try await APIHarness.run { api in
            let reply = try await api.send(.get, "/api/calls/ice-servers", as: "alice")
            #expect(reply.status == 200)
            #expect(reply["expiresAt"] == "2027-01-15T08:01:00.000Z")
            #expect(reply["iceServers"]?.elements()?.first?["username"] == "@alice:localhost|")
        }
    }

    @Test("calls started too often are 429 with the time to wait")
    func rate() async throws {
        var configuration = APIConfiguration()
        configuration.initiatePerUser = InitiateRate(count: 2, period: .seconds(3_600))
        try await APIHarness.run(configuration) { api in
            for _ in 0..<2 { _ = try await api.send(.post, "/api/calls/initiate", as: "alice", "{}") }
            let refused = try await api.send(.post, "/api/calls/initiate", as: "alice", "{}")
            #expect(refused.status == 429)
            #expect(refused.problem == "rate_limited")
            let seconds = try #require(refused.headers[.init("Retry-After") ?? .age].flatMap { Int($0) })
            #expect((1...1_800).contains(seconds))
            let other = try await api.send(.post, "/api/calls/initiate", as: "bob", "{}")
            #expect(other.status == 400)
        }
    }
}

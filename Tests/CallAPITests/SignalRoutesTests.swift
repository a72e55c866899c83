import CallAPI
import HTTPTypes
import SocketIO
import Testing

@Suite("Signal routes")
struct SignalRoutesTests {
    @Test("offer, answer-sdp and candidates are taken with 202 and a receipt")
    func signals() async throws {
        try await APIHarness.run { api in
            let id = try await api.place()
            _ = try await api.send(.post, "/api/calls/\(id)/answer", as: "bob", "{}")
            let offer = #"{"offer":{"type":"offer","sdp":"v=0\r\n"},"to":"@bob:localhost"}"#
            let answer = #"{"answer":{"sdp":"v=0\r\n","type":"answer"}}"#
            let batch = #"{"candidates":[{"candidate":"candidate:1"},null]}"#
            for (path, user, body) in [
                ("offer", "alice", offer), ("answer-sdp", "bob", answer), ("ice-candidate", "alice", batch),
                ("ice-candidate", "bob", #"{"candidate":""}"#),
            ] {
                let reply = try await api.send(.post, "/api/calls/\(id)/\(path)", as: user, body)
                #expect(reply.status == 202, "\(path): \(reply.text)")
                #expect(reply["delivered"] == false)
                #expect(reply["seq"]?.integerValue != nil)
            }
        }
    }

    @Test("switches answer with the participant")
    func toggles() async throws {
        try await APIHarness.run { api in
            let id = try await api.place()
            let audio = try await api.send(.post, "/api/calls/\(id)/toggle-audio", as: "alice", #"{"enabled":false}"#)
            #expect(audio.status == 200)
            #expect(audio["userId"] == "@alice:localhost")
            #expect(audio["audioEnabled"] == false)
            let video = try await api.send(.post, "/api/calls/\(id)/toggle-video", as: "alice", #"{"enabled":true}"#)
            #expect(video["videoEnabled"] == true)
        }
    }

    @Test(
        "what is no description, candidate or switch is 400",
        arguments: [
            ("offer", "{}"), ("offer", #"{"offer":{"type":"answer","sdp":""}}"#), ("offer", #"{"offer":"v=0"}"#),
            ("answer-sdp", #"{"answer":{"type":"answer"}}"#), ("ice-candidate", "{}"),
            ("ice-candidate", #"{"candidates":[]}"#), ("ice-candidate", #"{"candidate":7}"#),
            ("toggle-audio", "{}"), ("toggle-video", #"{"enabled":"yes"}"#),
        ]
    )
    func malformed(path: String, body: String) async throws {
        try await APIHarness.run { api in
            let id = try await api.place()
            let reply = try await api.send(.post, "/api/calls/\(id)/\(path)", as: "alice", body)
            #expect(reply.status == 400)
            #expect(reply.problem == "invalid_request")
        }
    }

    @Test("a description beyond its limit is 413 by its own code")
    func tooLarge() async throws {
        try await APIHarness.run { api in
            let id = try await api.place()
            let sdp = String(repeating: "a", count: 70_000)
            let body = #"{"offer":{"type":"offer","sdp":"\#(sdp)"}}"#
            let reply = try await api.send(.post, "/api/calls/\(id)/offer", as: "alice", body)
            #expect(reply.status == 413)
            #expect(reply.problem == "too_large")
        }
    }
}

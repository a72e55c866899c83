import SocketIO
import Testing

@Suite("Requests under the Engine.IO path")
struct EngineRequestTests {
    private func check(
        _ query: String,
        method: String = "GET",
        isUpgrade: Bool = false,
        origin: String? = nil,
        isAdmitted: Bool = true
    ) -> Result<EngineRequest, EngineRequestError> {
        Result { () throws(EngineRequestError) in
            try EngineRequest(
                method: method,
                query: EngineQuery(query),
                isUpgrade: isUpgrade,
                origin: origin,
                isLive: { $0 == "live" },
                isAdmitted: { isAdmitted }
            )
        }
    }

    @Test("good requests")
    func good() {
        #expect(check("EIO=4&transport=polling") == .success(.openPolling))
        #expect(check("t=x&transport=polling&EIO=4&sid=") == .success(.openPolling))
        #expect(check("EIO=4&transport=websocket", isUpgrade: true) == .success(.openWebSocket))
        #expect(check("EIO=4&transport=polling&sid=live", method: "POST") == .success(.resume(sessionID: "live")))
        #expect(check("EIO=4&transport=websocket&sid=live", isUpgrade: true) == .success(.resume(sessionID: "live")))
    }

    @Test(
        "bad requests, each by the rule that comes first",
        arguments: [
            ("", EngineRequestError.unknownTransport), ("EIO=3&transport=abc&sid=gone", .unknownTransport),
            ("EIO=3&transport=polling&sid=gone", .unknownSession), ("EIO=4&transport=websocket", .badRequest),
            ("EIO=3&transport=polling", .unsupportedProtocolVersion),
            ("transport=polling", .unsupportedProtocolVersion),
            ("EIO=4&EIO=3&transport", .unknownTransport), ("EIO=&transport=polling", .unsupportedProtocolVersion),
        ]
    )
    func bad(query: String, error: EngineRequestError) {
        #expect(check(query) == .failure(error))
    }

    @Test("method, admission, version: in this order")
    func order() {
        #expect(check("EIO=3&transport=polling", method: "POST", isAdmitted: false) == .failure(.badHandshakeMethod))
        #expect(check("EIO=3&transport=polling", isAdmitted: false) == .failure(.forbidden))
        #expect(check("EIO=4&transport=polling", isUpgrade: true) == .failure(.badRequest))
        #expect(check("EIO=4&transport=polling&sid=live", isUpgrade: true) == .failure(.badRequest))
        #expect(check("EIO=4&transport=polling", origin: "http://a\u{01}") == .failure(.badRequest))
    }

    @Test("the bodies of the protocol")
    func bodies() {
        #expect(EngineRequestError.unknownSession.body() == "{\"code\":1,\"message\":\"Session ID unknown\"}")
        #expect(EngineRequestError.forbidden.status == 403)
    }
}

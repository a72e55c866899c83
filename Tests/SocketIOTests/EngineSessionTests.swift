import NetPrimitives
import Testing

@testable import SocketIO

@Suite("Engine.IO session")
struct EngineSessionTests {
    @Test("opens with the handshake and nothing else")
    func opening() {
        var polling = SessionHarness(.polling)
        let handshake =
            "0{\"sid\":\"engine\",\"upgrades\":[\"websocket\"],\"pingInterval\":300,\"pingTimeout\":200,\"maxPayload\":1000000}"
        #expect(polling.take() == [.engine(.answer(EngineRequestID(rawValue: 0), .payload(handshake)))])
        var webSocket = SessionHarness(.webSocket)
        #expect(webSocket.take().texts == [handshake.replacing("[\"websocket\"]", with: "[]")])
    }

    @Test("a body's packets are taken in order and acknowledged after the application has had them")
    func post() {
        var harness = SessionHarness(.polling)
        _ = harness.take()
        let request = harness.post("4a\u{1E}bAQ==\u{1E}4b")
        #expect(
            harness.take() == [
                .engine(.received(.text("a"))), .engine(.received(.binary([1]))), .engine(.received(.text("b"))),
                .engine(.answer(request, .accepted)),
            ]
        )
    }

    @Test("what comes before an invalid packet counts, what comes after does not")
    func invalidPacket() {
        var harness = SessionHarness(.polling)
        let request = harness.post("4a\u{1E}x\u{1E}4b")
        let effects = harness.take()
        #expect(effects.messages == [.text("a")])
        #expect(effects.answer(to: request) == .refused)
        #expect(effects.closeReason == .parseError && effects.isForgotten)
    }

    @Test("messages wait for a poll, and travel together")
    func buffering() {
        var harness = SessionHarness(.polling)
        harness.apply(.send(.text("a")), .send(.binary([1, 2, 3, 4])))
        _ = harness.take()
        let request = harness.poll()
        #expect(harness.take() == [.engine(.answer(request, .payload("4a\u{1E}bAQIDBA==")))])
        let waiting = harness.poll()
        #expect(harness.take().isEmpty)
        harness.apply(.send(.text("b")))
        #expect(harness.take() == [.engine(.answer(waiting, .payload("4b")))])
    }

    @Test("an answer carries no more packets than clients take, and the order stays")
    func manyPackets() {
        var harness = SessionHarness(.polling)
        for number in 0..<40 { harness.apply(.send(.text("\(number)"))) }
        _ = harness.take()
        var packets: [String] = []
        for expected in [16, 16, 8] {
            let request = harness.poll()
            guard case .payload(let body)? = harness.take().answer(to: request) else { break }
            let some = body.split(separator: "\u{1E}").map { String($0.dropFirst()) }
            #expect(some.count == expected)
            packets += some
        }
        #expect(packets == (0..<40).map(String.init))
    }

    @Test("a poll does not part binary messages from the text before them", arguments: 12...17)
    func attachmentsStayTogether(before: Int) {
        var harness = SessionHarness(.polling)
        for number in 0..<before { harness.apply(.send(.text("\(number)"))) }
        harness.apply(.send(.text("header")), .send(.binary([1])), .send(.binary([2])), .send(.text("last")))
        _ = harness.take()
        var packets: [Substring] = []
        while packets.last != "4last" {
            let request = harness.poll()
            guard case .payload(let body)? = harness.take().answer(to: request) else { break }
            let some = body.split(separator: "\u{1E}")
            #expect(some.count <= 16)
            if some.contains("4header") { #expect(some.contains("bAQ==") && some.contains("bAg==")) }
            packets += some
        }
        #expect(packets == (0..<before).map { "4\($0)" } + ["4header", "bAQ==", "bAg==", "4last"])
    }

    @Test("more binary messages in a row than a poll carries go out all the same")
    func manyBinaryMessages() {
        var harness = SessionHarness(.polling)
        for number in 0..<40 { harness.apply(.send(.binary([UInt8(number)]))) }
        _ = harness.take()
        var count = 0
        for expected in [16, 16, 8] {
            let request = harness.poll()
            guard case .payload(let body)? = harness.take().answer(to: request) else { break }
            #expect(body.split(separator: "\u{1E}").count == expected)
            count += expected
        }
        #expect(count == 40)
    }

    @Test("a second poll, or a second body, ends the session and both are answered")
    func overlap() {
        var harness = SessionHarness(.polling)
        let first = harness.poll()
        let second = harness.poll()
        var effects = harness.take()
        #expect(effects.answer(to: first) == .payload("1"))
        #expect(effects.answer(to: second) == .refused)
        #expect(effects.closeReason == .transportError && effects.isForgotten)

        harness = SessionHarness(.polling)
        let (one, two) = (harness.newRequest(), harness.newRequest())
        harness.apply(.postBegan(one, isBinary: false), .postBegan(two, isBinary: false))
        effects = harness.take()
        #expect(effects.answer(to: one) == .refused && effects.answer(to: two) == .refused)
        #expect(effects.closeReason == .transportError)
    }

    @Test("a poll or a body broken off ends the session")
    func aborted() {
        var harness = SessionHarness(.polling)
        let request = harness.poll()
        harness.apply(.requestAborted(request))
        #expect(harness.take().closeReason == .transportError)
        harness = SessionHarness(.polling)
        let post = harness.newRequest()
        harness.apply(.postBegan(post, isBinary: false), .requestAborted(post))
        #expect(harness.take().closeReason == .transportError)
        harness = SessionHarness(.polling)
        harness.apply(.requestAborted(EngineRequestID(rawValue: 999)))
        #expect(harness.take().closeReason == nil)
    }

    @Test("a body that is too large is refused and nothing else happens")
    func largeBody() {
        var harness = SessionHarness(.polling)
        let request = harness.newRequest()
        harness.apply(.postBegan(request, isBinary: false), .postTooLarge(request))
        let effects = harness.take()
        #expect(effects.answer(to: request) == .tooLarge)
        #expect(effects.closeReason == nil)
        let next = harness.post("4a")
        #expect(harness.take().answer(to: next) == .accepted)
    }

    @Test("a client that leaves too much waiting is cut", arguments: [true, false])
    func slowReader(byPackets: Bool) {
        var harness = SessionHarness(.webSocket) { configuration in
            configuration.maximumOutboundPackets = byPackets ? 10 : .max
            // Each packet counts with ten bytes of text and 128 of its own.
            configuration.maximumOutboundBytes = byPackets ? .max : 10 * 138 - 1
        }
        harness.apply(.webSocketWritable(harness.webSocket, false))
        _ = harness.take()
        for _ in 0..<10 { harness.apply(.send(.text("123456789"))) }
        #expect(harness.take().isEmpty)
        harness.apply(.send(.text("1")))
        let effects = harness.take()
        #expect(effects.closeReason == .slowReader)
        #expect(effects.contains(.engine(.closeWebSocket(harness.webSocket, .abort))))
    }

    @Test("frames wait while the socket takes none, and go in order when it does")
    func writability() {
        var harness = SessionHarness(.webSocket)
        _ = harness.take()
        harness.apply(.send(.text("a")), .webSocketWritable(harness.webSocket, false))
        harness.apply(.send(.text("b")), .send(.binary([1])))
        #expect(harness.take().isEmpty)
        harness.apply(.webSocketWritable(harness.webSocket, true))
        #expect(
            harness.take() == [
                .engine(.write(harness.webSocket, .text("4a"))), .engine(.write(harness.webSocket, .text("4b"))),
                .engine(.write(harness.webSocket, .binary([1]))),
            ]
        )
    }

    @Test("while the application is behind, a body is not acknowledged and a WebSocket is not read")
    func backlog() {
        var harness = SessionHarness(.polling)
        _ = harness.take()
        let request = harness.newRequest()
        harness.apply(.postBegan(request, isBinary: false))
        harness.apply(.backlogged(true), .postReceived(request, body: "4a"))
        #expect(harness.take() == [.engine(.received(.text("a")))])
        harness.apply(.backlogged(false))
        #expect(harness.take() == [.engine(.answer(request, .accepted))])

        var webSocket = SessionHarness(.webSocket)
        _ = webSocket.take()
        webSocket.apply(.backlogged(true), .backlogged(true), .backlogged(false))
        #expect(
            webSocket.take() == [.engine(.read(webSocket.webSocket, false)), .engine(.read(webSocket.webSocket, true))]
        )
    }
}

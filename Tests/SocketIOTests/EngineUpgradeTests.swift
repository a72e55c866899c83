import NetPrimitives
import Testing

@testable import SocketIO

@Suite("Engine.IO upgrade")
struct EngineUpgradeTests {
    private func joined() -> SessionHarness {
        var harness = SessionHarness(.polling) { $0.pingInterval = .seconds(60) }
        harness.apply(.webSocketJoined(harness.webSocket))
        _ = harness.take()
        return harness
    }

    private func probed() -> SessionHarness {
        var harness = joined()
        harness.say("2probe")
        _ = harness.take()
        return harness
    }

    @Test("the probe is answered and nothing else moves over")
    func probe() {
        var harness = joined()
        harness.say("2probe")
        #expect(harness.take() == [.engine(.write(harness.webSocket, .probeAnswer))])
        harness.apply(.send(.text("a")))
        let request = harness.poll()
        #expect(harness.take().answer(to: request) == .payload("4a"))
    }

    @Test("a poll is released 100 ms after it came or after the probe")
    func release() {
        var harness = probed()
        let request = harness.poll()
        harness.wait(milliseconds: 99)
        #expect(harness.take().isEmpty)
        harness.wait(milliseconds: 1)
        #expect(harness.take() == [.engine(.answer(request, .payload("6")))])

        harness = joined()
        let earlier = harness.poll()
        harness.wait(milliseconds: 1_000)
        #expect(harness.take().isEmpty)
        harness.say("2probe")
        harness.wait(milliseconds: 100)
        #expect(harness.take().answer(to: earlier) == .payload("6"))
    }

    @Test("after the upgrade everything goes over the WebSocket, what waited first")
    func upgrade() {
        var harness = probed()
        harness.apply(.send(.text("a")), .webSocketReceived(harness.webSocket, .text("5")), .send(.text("b")))
        #expect(harness.take().texts == ["4a", "4b"])
        harness.say("4c")
        #expect(harness.take().messages == [.text("c")])
        let (poll, post) = (harness.poll(), harness.post("4x"))
        let effects = harness.take()
        #expect(effects.answer(to: poll) == .error(.badRequest) && effects.answer(to: post) == .error(.badRequest))
        #expect(effects.messages.isEmpty && effects.closeReason == nil)
    }

    @Test("a poll that still waits at the upgrade is released, a body on its way refused")
    func leftovers() {
        var harness = probed()
        let poll = harness.poll()
        let post = harness.newRequest()
        harness.apply(.postBegan(post, isBinary: false))
        harness.say("5")
        let effects = harness.take()
        #expect(effects.answer(to: poll) == .payload("6") && effects.answer(to: post) == .error(.badRequest))
        harness.apply(.postReceived(post, body: "4x"))
        #expect(harness.take().isEmpty)
    }

    @Test(
        "any other packet dismisses the candidate and leaves polling",
        arguments: ["4a", "5", "2", "2x", "3", "1", "x", ""]
    )
    func strangers(packet: String) {
        var harness = joined()
        harness.say(packet)
        #expect(harness.take() == [.engine(.closeWebSocket(harness.webSocket, .status(1000)))])
        let request = harness.post("4a")
        #expect(harness.take().answer(to: request) == .accepted)
    }

    @Test("a second probe dismisses the candidate")
    func secondProbe() {
        var harness = probed()
        harness.say("2probe")
        #expect(harness.take() == [.engine(.closeWebSocket(harness.webSocket, .status(1000)))])
    }

    @Test("a candidate that takes too long is dismissed")
    func timeout() {
        var harness = probed()
        harness.wait(milliseconds: 9_999)
        #expect(harness.take().isEmpty)
        harness.wait(milliseconds: 1)
        #expect(harness.take() == [.engine(.closeWebSocket(harness.webSocket, .status(1000)))])
    }

    @Test("a second candidate, and one after the upgrade, is closed and nothing else")
    func second() {
        let other = EngineWebSocketID(rawValue: 2)
        var harness = probed()
        harness.apply(.webSocketJoined(other))
        #expect(harness.take() == [.engine(.closeWebSocket(other, .status(1000)))])
        harness.say("5")
        harness.apply(.webSocketJoined(other), .webSocketClosed(other, .transportClose))
        #expect(harness.take() == [.engine(.closeWebSocket(other, .status(1000)))])
        harness.say("4a")
        #expect(harness.take().messages == [.text("a")])
    }

    @Test("a candidate that goes is no loss, and another may try")
    func candidateGone() {
        var harness = probed()
        harness.apply(.webSocketClosed(harness.webSocket, .transportError))
        #expect(harness.take().isEmpty)
        harness.apply(.webSocketJoined(harness.webSocket))
        harness.say("2probe")
        #expect(harness.take().texts == ["3probe"])
    }

    @Test("a session that ends takes its candidate along")
    func ends() {
        var harness = probed()
        harness.apply(.close(.forcedServerClose))
        #expect(harness.take().contains(.engine(.closeWebSocket(harness.webSocket, .status(1000)))))
    }
}

import NetPrimitives
import Testing

@testable import SocketIO

@Suite("Engine.IO heartbeat and closing")
struct EngineHeartbeatTests {
    @Test("a ping each interval after the last pong")
    func rounds() {
        var harness = SessionHarness(.webSocket)
        _ = harness.take()
        for _ in 0..<3 {
            harness.wait(milliseconds: 299)
            #expect(harness.take().isEmpty)
            harness.wait(milliseconds: 1)
            #expect(harness.take().texts == ["2"])
            harness.wait(milliseconds: 100)
            harness.say("3")
        }
        #expect(harness.take().isEmpty)
    }

    @Test("silence ends the session exactly when interval and timeout are over")
    func timeout() {
        var harness = SessionHarness(.webSocket)
        harness.wait(milliseconds: 499)
        #expect(harness.take().closeReason == nil)
        harness.wait(milliseconds: 1)
        let effects = harness.take()
        #expect(effects.closeReason == .pingTimeout && effects.isForgotten)
        #expect(effects.contains(.engine(.closeWebSocket(harness.webSocket, .status(1000)))))
        #expect(harness.session.nextDeadline == nil)
    }

    @Test("a poll that comes at the deadline, before any timer, finds the session gone")
    func timeoutSeenByPoll() {
        var harness = SessionHarness(.polling)
        harness.wait(milliseconds: 300)
        harness.sleep(milliseconds: 200)
        let request = harness.poll()
        #expect(harness.take().answer(to: request) == .error(.unknownSession))
    }

    @Test("a poll that waits when the pong fails to come is told that it is over")
    func timeoutWithPoll() {
        var harness = SessionHarness(.polling)
        let first = harness.poll()
        harness.wait(milliseconds: 300)
        #expect(harness.take().answer(to: first) == .payload("2"))
        let second = harness.poll()
        harness.wait(milliseconds: 200)
        #expect(harness.take().answer(to: second) == .payload("1"))
    }

    @Test("after a standstill of the whole process the client still has time to answer")
    func standstill() {
        var harness = SessionHarness(.webSocket)
        harness.sleep(milliseconds: 5_000)
        harness.wait(milliseconds: 49)
        #expect(harness.take().closeReason == nil)
        harness.say("3")
        harness.wait(milliseconds: 299)
        #expect(harness.take().closeReason == nil)
    }

    @Test("a client that we do not read from is not blamed for silence")
    func backlogged() {
        var harness = SessionHarness(.webSocket)
        harness.apply(.backlogged(true))
        harness.wait(milliseconds: 5_000)
        #expect(harness.take().closeReason == nil)
        harness.apply(.backlogged(false))
        harness.wait(milliseconds: 200)
        #expect(harness.take().closeReason == .pingTimeout)
    }

    @Test("a client may not ping")
    func invalidDirection() {
        var harness = SessionHarness(.webSocket)
        harness.say("2")
        #expect(harness.take().closeReason == .transportError)
    }

    @Test("a client that closes over polling has its waiting poll released, or the late one")
    func departure() {
        var harness = SessionHarness(.polling)
        let waiting = harness.poll()
        let post = harness.post("1\u{1E}4ignored")
        var effects = harness.take()
        #expect(effects.answer(to: waiting) == .payload("6"))
        #expect(effects.answer(to: post) == .accepted)
        #expect(effects.closeReason == .transportClose && effects.isForgotten && effects.messages.isEmpty)

        harness = SessionHarness(.polling)
        _ = harness.post("1")
        effects = harness.take()
        #expect(effects.closeReason == .transportClose && !effects.isForgotten)
        let late = harness.poll()
        effects = harness.take()
        #expect(effects.answer(to: late) == .payload("6") && effects.isForgotten)
        let tooLate = harness.poll()
        #expect(harness.take().answer(to: tooLate) == .error(.unknownSession))

        harness = SessionHarness(.polling)
        _ = harness.post("1")
        harness.wait(milliseconds: 1_000)
        #expect(harness.take().isForgotten)
    }

    @Test("we close over polling with what waits and a last packet, to the poll there is or the next one")
    func closing() {
        var harness = SessionHarness(.polling)
        let waiting = harness.poll()
        harness.apply(.close(.forcedServerClose))
        var effects = harness.take()
        #expect(effects.answer(to: waiting) == .payload("1") && effects.isForgotten)

        harness = SessionHarness(.polling)
        harness.apply(.send(.text("bye")), .close(.forcedServerClose))
        effects = harness.take()
        #expect(effects.closeReason == .forcedServerClose && !effects.isForgotten)
        harness.wait(milliseconds: 29_000)
        let post = harness.post("4x")
        let next = harness.poll()
        effects = harness.take()
        #expect(effects.answer(to: post) == .accepted && effects.messages.isEmpty)
        #expect(effects.answer(to: next) == .payload("4bye\u{1E}1") && effects.isForgotten)

        harness = SessionHarness(.polling)
        harness.apply(.close(.forcedServerClose))
        harness.wait(milliseconds: 30_000)
        #expect(harness.take().isForgotten)
    }

    @Test("we close a WebSocket after what waits")
    func closingWebSocket() {
        var harness = SessionHarness(.webSocket)
        _ = harness.take()
        harness.apply(.webSocketWritable(harness.webSocket, false), .send(.text("bye")), .close(.serverShuttingDown))
        #expect(
            harness.take() == [
                .engine(.write(harness.webSocket, .text("4bye"))),
                .engine(.closeWebSocket(harness.webSocket, .status(1001))),
                .engine(.closed(.serverShuttingDown)), .engine(.forget),
            ]
        )
    }

    @Test("a WebSocket that goes takes the session along")
    func webSocketClosed() {
        var harness = SessionHarness(.webSocket)
        harness.apply(.webSocketClosed(harness.webSocket, .transportClose))
        let effects = harness.take()
        #expect(effects.closeReason == .transportClose && effects.isForgotten)
    }
}

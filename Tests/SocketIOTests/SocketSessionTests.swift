import NetPrimitives
import Testing

@testable import SocketIO

@Suite("Socket.IO session")
struct SocketSessionTests {
    private func opened() -> SessionHarness {
        var harness = SessionHarness(.webSocket, sockets: true) { $0.pingInterval = .seconds(60) }
        _ = harness.take()
        return harness
    }

    @Test("a client enters when the application says so, and not before")
    func enter() {
        var harness = opened()
        harness.say("40{\"token\":\"x\"}")
        let effects = harness.take()
        let socket = harness.connectedSocket(in: effects)
        #expect(effects == [.connect(socket: socket, namespace: "/", auth: ["token": "x"])])
        #expect(socket.utf8.count == 20)
        harness.command(.emit(socket, event: "early", arguments: [], attachments: []))
        #expect(harness.take().isEmpty)
        harness.command(.accept(socket))
        #expect(
            harness.take() == [
                .accepted(socket: socket), .engine(.write(harness.webSocket, .text("40{\"sid\":\"\(socket)\"}"))),
            ]
        )
        harness.command(.accept(socket))
        #expect(harness.take().isEmpty)
    }

    @Test("a refusal says why and leaves the connection")
    func refuse() {
        var harness = opened()
        harness.say("40/custom,")
        let socket = harness.connectedSocket(in: harness.take())
        harness.command(.refuse(socket, message: "no \"way\"", data: ["code": "bad_token"]))
        let expected = "44/custom,{\"message\":\"no \\\"way\\\"\",\"data\":{\"code\":\"bad_token\"}}"
        #expect(harness.take().texts == [expected])
        harness.say("40/custom")
        let again = harness.connectedSocket(in: harness.take())
        harness.command(.refuse(again, message: "no", data: nil))
        #expect(harness.take().texts == ["44/custom,{\"message\":\"no\"}"])
    }

    @Test("where nothing can be said the connection closes, without a refusal")
    func unavailable() {
        var harness = opened()
        harness.say("40")
        let socket = harness.connectedSocket(in: harness.take())
        harness.command(.unavailable(socket))
        let effects = harness.take()
        #expect(effects.texts.isEmpty && effects.closeReason == .forcedServerClose)
        #expect(!effects.contains(.disconnected(socket: socket, .forcedServerClose)))
    }

    @Test("an unknown namespace is named as such")
    func unknownNamespace() {
        var harness = opened()
        harness.say("40/random")
        #expect(harness.take().texts == ["44/random,{\"message\":\"Invalid namespace\"}"])
    }

    @Test("events come with their arguments as written; replies carry the client's id")
    func events() {
        var harness = opened()
        let socket = harness.enter()
        harness.say("427[\"a\",1.0,{\"z\":1,\"a\":2}]")
        let event = SocketEvent(
            name: "a",
            arguments: [JSONText(wellFormed: "1.0"), ["z": 1, "a": 2]],
            wantsAcknowledgement: true
        )
        #expect(harness.take() == [.event(socket: socket, event, acknowledgementID: 7)])
        harness.command(.acknowledge(socket, id: 7, SocketReply([true])))
        harness.command(
            .acknowledge(socket, id: 8, SocketReply([["_placeholder": true, "num": 0]], attachments: [[9]]))
        )
        #expect(
            harness.take().frames == [
                .text("437[true]"), .text("461-8[{\"_placeholder\":true,\"num\":0}]"), .binary([9]),
            ]
        )
    }

    @Test("a client that enters nothing in time is turned away, though it was answered a refusal")
    func connectTimeout() {
        var harness = opened()
        harness.say("40/random")
        harness.wait(milliseconds: 999)
        #expect(harness.take().closeReason == nil)
        harness.wait(milliseconds: 1)
        #expect(harness.take().closeReason == .connectTimeout)
        harness = opened()
        _ = harness.enter()
        harness.say("41")
        harness.wait(milliseconds: 5_000)
        #expect(harness.take().closeReason == nil)
    }

    @Test("leaving tells the application; the connection stays")
    func leave() {
        var harness = opened()
        let socket = harness.enter()
        harness.say("41")
        #expect(harness.take() == [.disconnected(socket: socket, .clientNamespaceDisconnect)])
        harness.command(.emit(socket, event: "x", arguments: [], attachments: []))
        #expect(harness.take().isEmpty)
        #expect(harness.enter() != socket)
    }

    @Test("the application puts out one socket, or all with the connection")
    func disconnect() {
        var harness = opened()
        let main = harness.enter()
        let custom = harness.enter("40/custom,")
        harness.command(.disconnect(custom, closeTransport: false))
        #expect(
            harness.take() == [
                .disconnected(socket: custom, .serverNamespaceDisconnect),
                .engine(.write(harness.webSocket, .text("41/custom,"))),
            ]
        )
        harness.command(.disconnect(main, closeTransport: true))
        let effects = harness.take()
        #expect(effects.texts == ["41"])
        #expect(effects.contains(.disconnected(socket: main, .forcedServerClose)))
        #expect(effects.closeReason == .forcedServerClose)
    }

    @Test("a connection that ends takes every accepted socket along, once")
    func end() {
        var harness = opened()
        let main = harness.enter()
        let custom = harness.enter("40/custom,")
        harness.apply(.webSocketClosed(harness.webSocket, .transportClose))
        let gone = harness.take().filter { if case .disconnected = $0 { true } else { false } }
        #expect(gone == [.disconnected(socket: main, .transportClose), .disconnected(socket: custom, .transportClose)])
        harness.command(.disconnect(main, closeTransport: true))
        harness.say("40")
        #expect(harness.take().isEmpty)
    }

    @Test(
        "packets that the state does not allow close the connection",
        arguments: ["40", "42/custom,[\"x\"]", "41/custom", "43/custom,1[]", "4x", "42{}", "44{}"]
    )
    func violations(packet: String) {
        var harness = opened()
        _ = harness.enter()
        harness.say(packet)
        #expect(harness.take().closeReason != nil)
    }

    @Test("an event before the application has let the client in closes the connection")
    func tooEarly() {
        var harness = opened()
        harness.say("40")
        harness.say("42[\"x\"]")
        #expect(harness.take().closeReason == .forcedServerClose)
    }
}

import NIOCore
import NIOWebSocket
import SocketIO
import Testing

@testable import SignalingGateway

@Suite("WebSocket messages")
struct WebSocketAssemblerTests {
    private func frame(_ opcode: WebSocketOpcode, _ payload: String = "", fin: Bool = true) -> WebSocketFrame {
        let mask: WebSocketMaskingKey = [1, 2, 3, 4]
        var data = ByteBuffer(string: payload)
        data.webSocketMask(mask)
        return WebSocketFrame(fin: fin, opcode: opcode, maskKey: mask, data: data)
    }

    @Test("whole and in pieces, with control frames between the pieces")
    func messages() {
        var assembler = WebSocketAssembler(maximumMessageSize: 100)
        #expect(assembler.receive(frame(.text, "a€")) == .message(.text("a€")))
        #expect(assembler.receive(frame(.binary, "ab")) == .message(.binary([97, 98])))
        #expect(assembler.receive(frame(.text, "one ", fin: false)) == .nothing)
        #expect(assembler.receive(frame(.ping, "x")) == .ping(ByteBuffer(string: "x")))
        #expect(assembler.receive(frame(.continuation, "two ", fin: false)) == .nothing)
        #expect(assembler.receive(frame(.pong)) == .nothing)
        #expect(assembler.receive(frame(.continuation, "three")) == .message(.text("one two three")))
        #expect(assembler.receive(frame(.text)) == .message(.text("")))
    }

    @Test("stops at the largest message, whole or in pieces")
    func limit() {
        var assembler = WebSocketAssembler(maximumMessageSize: 4)
        #expect(assembler.receive(frame(.text, "1234")) == .message(.text("1234")))
        #expect(assembler.receive(frame(.text, "123", fin: false)) == .nothing)
        #expect(assembler.receive(frame(.continuation, "45")) == .violation(1009))
    }

    @Test("holds frames to the rules")
    func rules() {
        var assembler = WebSocketAssembler(maximumMessageSize: 100)
        #expect(
            assembler.receive(WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: "x")))
                == .violation(1002)
        )
        #expect(assembler.receive(frame(.continuation, "x")) == .violation(1002))
        #expect(assembler.receive(frame(WebSocketOpcode(encodedWebSocketOpcode: 3) ?? .text)) == .violation(1002))
        _ = assembler.receive(frame(.text, "x", fin: false))
        #expect(assembler.receive(frame(.text, "x")) == .violation(1002))
        #expect(assembler.receive(frame(.connectionClose)) == .close(nil))
        #expect(assembler.receive(frame(.connectionClose, "\u{03}")) == .violation(1002))
        #expect(assembler.receive(frame(.connectionClose, "\u{03}\u{0F}bye")) == .violation(1002))
    }

    @Test(
        "keys are 16 bytes in base64",
        arguments: [
            ("dGhlIHNhbXBsZSBub25jZQ==", true), ("dGhlIHNhbXBsZSBub25jZQ", false), ("", false),
            ("dGhlIHNhbXBsZSBub25jZ-==", false),
        ]
    )
    func keys(key: String, isValid: Bool) {
        #expect(WebSocketHandshake.isValid(key: key) == isValid)
    }
}

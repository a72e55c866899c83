import NIOCore
import NIOWebSocket
import SocketIO

/// Puts a client's frames together to messages and holds them to RFC 6455 §5: what the frame decoder lets pass is
/// checked here.
struct WebSocketAssembler {
    /// What a frame amounts to.
    enum Event: Equatable {
        /// A message is not complete yet, or the frame is a pong.
        case nothing
        case message(EngineMessage)
        case ping(ByteBuffer)
        /// The client closes, with this status if it gave one.
        case close(UInt16?)
        /// The client broke a rule; the connection ends with this status.
        case violation(UInt16)
    }

    private let maximumMessageSize: Int
    private var fragments: ByteBuffer?
    private var isText = false

    init(maximumMessageSize: Int) {
        self.maximumMessageSize = maximumMessageSize
    }

    mutating func receive(_ frame: WebSocketFrame) -> Event {
        guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return .violation(1002) }
        switch frame.opcode {
        case .text, .binary:
            guard fragments == nil else { return .violation(1002) }
            isText = frame.opcode == .text
            return append(frame)
        case .continuation:
            guard fragments != nil else { return .violation(1002) }
            return append(frame)
        case .ping: return .ping(frame.unmaskedData)
        case .pong: return .nothing
        case .connectionClose: return closure(frame.unmaskedData)
        default: return .violation(1002)
        }
    }

    private mutating func append(_ frame: WebSocketFrame) -> Event {
        let size = (fragments?.readableBytes ?? 0) + frame.length
        guard size <= maximumMessageSize else { return .violation(1009) }
        var bytes = frame.unmaskedData
        if fragments == nil, frame.fin {
            return message(bytes)
        }
        fragments.setOrWriteBuffer(&bytes)
        guard frame.fin, let whole = fragments else { return .nothing }
        fragments = nil
        return message(whole)
    }

    private func message(_ bytes: ByteBuffer) -> Event {
        guard isText else { return .message(.binary(Array(bytes.readableBytesView))) }
        var bytes = bytes
        do {
            return .message(.text(try bytes.readUTF8ValidatedString(length: bytes.readableBytes) ?? ""))
        } catch {
            return .violation(1007)
        }
    }

    private func closure(_ payload: ByteBuffer) -> Event {
        var payload = payload
        guard payload.readableBytes > 0 else { return .close(nil) }
        guard let status = payload.readInteger(as: UInt16.self) else { return .violation(1002) }
        switch status {
        case 1000...1003, 1007...1014, 3000...4999: break
        default: return .violation(1002)
        }
        do {
            _ = try payload.readUTF8ValidatedString(length: payload.readableBytes)
            return .close(status)
        } catch {
            return .violation(1007)
        }
    }
}

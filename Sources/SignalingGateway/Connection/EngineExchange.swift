import NIOCore
import NIOHTTP1
import SocketIO

/// A request under the sockets' path, from its head to its answer. A class, because a body that grows must not be copied.
final class EngineExchange {
    let id: EngineRequestID
    let head: HTTPRequestHead
    /// The session that was told of the request at its head, and will answer it.
    var session: SessionReference?
    /// Whether the body has ended.
    var isComplete = false
    private var body: ByteBuffer?
    private var byteCount = 0

    init(id: EngineRequestID, head: HTTPRequestHead) {
        self.id = id
        self.head = head
    }

    /// Takes a piece of the body; true if there is more than `limit` now. Only POSTs have a body that anybody reads.
    func append(_ bytes: ByteBuffer, limit: Int) -> Bool {
        byteCount += bytes.readableBytes
        guard byteCount <= limit else {
            body = nil
            return true
        }
        if head.method == .POST {
            body.setOrWriteImmutableBuffer(bytes)
        }
        return false
    }

    /// The body as text; nil if it is not UTF-8.
    func text() -> String? {
        guard var bytes = body else { return "" }
        body = nil
        do {
            return try bytes.readUTF8ValidatedString(length: bytes.readableBytes)
        } catch {
            return nil
        }
    }

    /// Whether the body is declared to be raw bytes, which this version of the protocol does not have.
    var isBinary: Bool {
        head.headers.first(name: "Content-Type")?.lowercased().hasPrefix("application/octet-stream") == true
    }
}

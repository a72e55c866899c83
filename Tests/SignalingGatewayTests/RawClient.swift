import NIOCore
import NIOPosix

/// HTTP written by hand, one request a connection.
struct RawClient {
    let port: Int
    var origin: String?

    /// Sends `text` and gives what comes until the server closes, or until it contains `ending`.
    func exchange(_ text: String, until ending: String? = nil) async throws -> String {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var received = ""
            for try await bytes in inbound {
                received += String(buffer: bytes)
                if let ending, received.contains(ending) { break }
            }
            return received
        }
    }

    /// Sends the pieces with pauses between them until the server closes; gives how many it took.
    func trickle(_ pieces: [String], every pause: Duration) async throws -> Int {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port).get()
        var count = 0
        for piece in pieces where channel.isActive {
            do {
                try await channel.writeAndFlush(ByteBuffer(string: piece))
            } catch {
                break
            }
            count += 1
            try await Task.sleep(for: pause)
        }
        if channel.isActive { try await channel.close() }
        return count
    }

    func request(_ method: String, _ target: String, body: String = "", fields: String = "") async throws -> Answer {
        let originField = origin.map { "Origin: \($0)\r\n" } ?? ""
        let text = try await exchange(
            "\(method) \(target) HTTP/1.1\r\nHost: localhost:\(port)\r\nConnection: close\r\n\(originField)\(fields)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        return Answer(text)
    }

    func poll(_ sid: String) async throws -> Answer {
        try await request("GET", "/socket.io/?EIO=4&transport=polling&sid=\(sid)")
    }

    @discardableResult
    func post(_ sid: String, _ body: String) async throws -> Answer {
        try await request("POST", "/socket.io/?EIO=4&transport=polling&sid=\(sid)", body: body)
    }

    /// Opens a session over polling and gives its id.
    func open() async throws -> String {
        let answer = try await request("GET", "/socket.io/?EIO=4&transport=polling")
        return String(answer.body.dropFirst("0{\"sid\":\"".count).prefix(20))
    }

    /// Polls until `count` packets have come or the session is over.
    func packets(_ sid: String, count: Int) async throws -> [String] {
        var packets: [String] = []
        while packets.count < count {
            let answer = try await poll(sid)
            guard answer.status == 200 else { break }
            packets += answer.body.split(separator: "\u{1E}").map(String.init)
        }
        return packets
    }

    /// The status of the answer to a request for a WebSocket.
    func webSocketStatus() async throws -> Int {
        let originField = origin.map { "Origin: \($0)\r\n" } ?? ""
        let text = try await exchange(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost:\(port)\r\n\(originField)"
                + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            until: "\r\n\r\n"
        )
        return Answer(text).status
    }
}

struct Answer {
    let status: Int
    let head: String
    let body: String

    init(_ text: String) {
        status = Int(text.dropFirst("HTTP/1.1 ".count).prefix(3)) ?? 0
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        head = parts.first.map(String.init) ?? ""
        body = parts.count > 1 ? String(parts[1]) : ""
    }
}

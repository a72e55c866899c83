import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// A connected client, for scripts that wait for one thing after the other.
struct BenchSocket: Sendable {
    /// How long a script waits for an event or an acknowledgement.
    static let patience = TimeAmount.seconds(30)

    let channel: any Channel
    let handler: NIOLoopBound<SocketHandler>

    /// Opens a WebSocket and enters the main namespace.
    static func connect(to server: ServerURL, auth: String, on group: any EventLoopGroup) async throws -> BenchSocket {
        let loop = group.next()
        let connected = loop.makePromise(of: Void.self)
        let upgraded = try await ClientBootstrap(group: loop)
            .connectTimeout(.seconds(30))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: server.host, port: server.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try upgrade(channel, server: server, auth: auth, connected: connected)
                }
            }
        let socket: BenchSocket
        do {
            socket = try await upgraded.get()
        } catch {
            connected.fail(error)
            throw error
        }
        try await connected.futureResult.get()
        return socket
    }

    private static func upgrade(
        _ channel: any Channel,
        server: ServerURL,
        auth: String,
        connected: EventLoopPromise<Void>
    ) throws -> EventLoopFuture<BenchSocket> {
        let upgrader = NIOTypedWebSocketClientUpgrader<BenchSocket>(maxFrameSize: 1 << 24) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                let handler = SocketHandler(auth: auth, connected: connected)
                try channel.pipeline.syncOperations.addHandler(handler)
                return BenchSocket(
                    channel: channel,
                    handler: NIOLoopBound(handler, eventLoop: channel.eventLoop)
                )
            }
        }
        let head = HTTPRequestHead(
            version: .http1_1,
            method: .GET,
            uri: "/socket.io/?EIO=4&transport=websocket",
            headers: ["Host": server.authority, "Content-Length": "0"]
        )
        let configuration = NIOTypedHTTPClientUpgradeConfiguration(
            upgradeRequestHead: head,
            upgraders: [upgrader],
            notUpgradingCompletionHandler: { channel in
                channel.eventLoop.makeFailedFuture(CallBenchFailure("the server did not take a WebSocket"))
            }
        )
        var pipeline = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: configuration)
        // The server greets in the same packet as it agrees to the upgrade.
        pipeline.leftOverBytesStrategy = .forwardBytes
        return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: pipeline)
    }

    /// Sends an event and waits for its acknowledgement, which must say `ok`.
    @discardableResult
    func emit(_ event: String, _ payload: String) async throws -> String {
        try await begin(event, payload).accepted()
    }

    /// Sends an event; what is sent later follows it.
    func begin(_ event: String, _ payload: String) -> PendingAnswer {
        let promise = channel.eventLoop.makePromise(of: String.self)
        let timeout = channel.eventLoop.scheduleTask(in: Self.patience) {
            promise.fail(CallBenchFailure("\(event) was not acknowledged"))
        }
        perform { handler in
            handler.emit(event, payload) { promise.succeed($0) }
        }
        return PendingAnswer(event: event, answer: promise.futureResult, timeout: timeout)
    }

    /// The next event of this name.
    func next(_ event: String) async throws -> HeardEvent {
        let promise = channel.eventLoop.makePromise(of: HeardEvent.self)
        let timeout = channel.eventLoop.scheduleTask(in: Self.patience) {
            promise.fail(CallBenchFailure("\(event) did not come"))
        }
        perform { $0.next(event, promise: promise) }
        let heard = try await promise.futureResult.get()
        timeout.cancel()
        return heard
    }

    /// Runs `body` on the socket's event loop.
    func perform(_ body: @escaping @Sendable (SocketHandler) -> Void) {
        let handler = handler
        channel.eventLoop.execute { body(handler.value) }
    }

    /// Ends the connection without a word.
    func cut() { channel.close(mode: .all, promise: nil) }
}

/// An event that is under way.
struct PendingAnswer: Sendable {
    let event: String
    let answer: EventLoopFuture<String>
    let timeout: Scheduled<Void>

    /// Waits for the acknowledgement, which must say `ok`, and answers it.
    @discardableResult
    func accepted() async throws -> String {
        let text = try await answer.get()
        timeout.cancel()
        guard text.hasPrefix(#"{"ok":true"#) else { throw CallBenchFailure("\(event) was refused: \(text)") }
        return text
    }
}

/// The times and limits of an Engine.IO connection.
public struct EngineConfiguration: Hashable, Sendable {
    /// From one answered ping to the next.
    public var pingInterval: Duration = .seconds(25)
    /// How long the client may take to answer a ping.
    public var pingTimeout: Duration = .seconds(20)
    /// How long a WebSocket may probe before it takes over from polling or is closed.
    public var upgradeTimeout: Duration = .seconds(10)
    /// How long a connection closed by us waits for the poll that carries the news.
    public var closeTimeout: Duration = .seconds(30)
    /// How long a connection that the client closed still answers a poll that was on its way.
    public var lateAnswerTimeout: Duration = .seconds(1)
    /// How often a poll is released while a WebSocket probes, so that the client can stop polling.
    public var releaseInterval: Duration = .milliseconds(100)
    /// Bytes of one message or of one body from the client.
    public var maximumPayload = 1_000_000
    /// Packets in the answer to one poll; clients other than the JavaScript one refuse answers of more than 16.
    public var maximumPacketsPerPoll = 16
    /// Packets waiting for a client that does not take them up, before it is cut.
    public var maximumOutboundPackets = 4_096
    /// Bytes waiting for a client that does not take them up, each packet's own memory among them, before it is cut. With
    /// what the transport holds below it a client costs no more than a mebibyte.
    public var maximumOutboundBytes = 832 << 10

    /// The defaults of the protocol.
    public init() {}
}

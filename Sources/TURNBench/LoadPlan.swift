/// Which way payloads go.
public enum LoadDirection: String, CaseIterable, Sendable {
    /// From clients to peers.
    case up
    /// From peers to clients.
    case down
    case both

    /// Whether clients send.
    public var hasUp: Bool { self != .down }
    /// Whether peers send.
    public var hasDown: Bool { self != .up }
}

/// What is to be done: the command line, checked.
public struct LoadPlan: Hashable, Sendable {
    /// The server as it was named.
    public var target: String
    /// What it speaks.
    public var speech: ServerAddress.Speech
    /// Clients, each with one allocation and one peer.
    public var allocations: Int
    /// Bytes of a payload, the stamp in them.
    public var payloadByteCount: Int
    /// Payloads a second in each direction, of all clients together; nil for as many as the generator can.
    public var packetsPerSecond: Double?
    /// Which way they go.
    public var direction: LoadDirection
    /// How they are wrapped between client and server.
    public var mode: LoadMode
    /// Payloads of one flow that leave back to back.
    public var burst: Int
    /// Whether the generator has the kernel cut and join its bursts (UDP_SEGMENT, UDP_GRO).
    public var usesSegmentation: Bool
    /// Measured seconds.
    public var seconds: Double
    /// Seconds of load before those.
    public var warmUpSeconds: Double
    /// The server's process, if its time and memory are to be looked at.
    public var serverProcess: Int?

    /// A load whose numbers are in range.
    public init(
        target: String,
        speech: ServerAddress.Speech,
        allocations: Int,
        payloadByteCount: Int,
        packetsPerSecond: Double?,
        direction: LoadDirection,
        mode: LoadMode,
        burst: Int,
        usesSegmentation: Bool,
        seconds: Double,
        warmUpSeconds: Double,
        serverProcess: Int?
    ) {
        self.target = target
        self.speech = speech
        self.allocations = allocations
        self.payloadByteCount = payloadByteCount
        self.packetsPerSecond = packetsPerSecond
        self.direction = direction
        self.mode = mode
        self.burst = burst
        self.usesSegmentation = usesSegmentation
        self.seconds = seconds
        self.warmUpSeconds = warmUpSeconds
        self.serverProcess = serverProcess
    }
}

/// The numbers that the state machine works with.
public struct CallPolicy: Hashable, Sendable {
    /// How long a call rings, in milliseconds.
    public var ringTimeout: Int64
    /// How long an answered call may take until two sockets have joined, in milliseconds; in an active group call, how
    /// long whoever answered may take until a socket has.
    public var connectTimeout: Int64
    /// How long a participant whose socket was lost keeps its place, in milliseconds.
    public var reconnectGrace: Int64
    /// How long signals outlive their call, in milliseconds.
    public var signalRetention: Int64
    /// How many may be in a group call at the same time, and how many others a call rings for when nobody is named.
    public var maximumParticipants: Int

    /// The defaults are the documented ones.
    public init(
        ringTimeout: Int64 = 60_000,
        connectTimeout: Int64 = 30_000,
        reconnectGrace: Int64 = 30_000,
        signalRetention: Int64 = 60_000,
        maximumParticipants: Int = 6
    ) {
        self.ringTimeout = ringTimeout
        self.connectTimeout = connectTimeout
        self.reconnectGrace = reconnectGrace
        self.signalRetention = signalRetention
        self.maximumParticipants = maximumParticipants
    }
}

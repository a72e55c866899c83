/// What the relay carried for one participant of a call, in bytes of payload, as the participant sees it: sent is what
/// went out by the relay to others, received what came in by it.
public struct RelayUse: Hashable, Sendable {
    /// Bytes from the participant to others.
    public var bytesSent: Int64
    /// Bytes from others to the participant.
    public var bytesReceived: Int64

    /// So many bytes each way.
    public init(bytesSent: Int64 = 0, bytesReceived: Int64 = 0) {
        self.bytesSent = bytesSent
        self.bytesReceived = bytesReceived
    }

    /// Both ways together; stops at the largest number there is.
    public var total: Int64 {
        let (sum, overflow) = bytesSent.addingReportingOverflow(bytesReceived)
        return overflow ? .max : sum
    }
}

/// Why a relay allocation of a participant ended.
public enum RelayEnd: String, Hashable, Sendable, CaseIterable {
    /// The client gave it back.
    case released
    /// The client did not prolong it.
    case expired
    /// The call ended.
    case callEnded = "call-ended"
    /// The server stopped.
    case drained
}

internal import NetPrimitives

/// A call that is over: its allocations end, and credentials that name it open no further ones.
public struct EndedCall: Hashable, Sendable {
    /// The call's name, as it stands in USERNAME.
    public let callID: String
    /// For how long credentials that name it may still be good, in seconds.
    public let credentialSeconds: UInt32

    /// A call whose last credential ends in so many seconds.
    public init(callID: String, credentialSeconds: UInt32) {
        self.callID = callID
        self.credentialSeconds = credentialSeconds
    }
}

/// The calls that a shard refuses credentials of, each for as long as one of its credentials may be good.
///
/// Bounded: when it is full, the call that was told first is forgotten. Looked at by Allocate requests alone, and only
/// by those whose credential names a call.
struct EndedCalls: Sendable {
    private var endByCall: [String: Instant] = [:]
    /// In the order in which they were told; the used-up front is cut off when it is the larger part.
    private var order: [String] = []
    private var head = 0
    private let limit: Int

    init(limit: Int) {
        precondition(limit > 0, "an ended call is remembered")
        self.limit = limit
    }

    var count: Int { endByCall.count }

    func contains(_ call: String, now: Instant) -> Bool {
        guard let end = endByCall[call] else { return false }
        return now < end
    }

    mutating func insert(_ call: EndedCall, now: Instant) {
        let end = now.advanced(bySeconds: call.credentialSeconds)
        if let known = endByCall[call.callID] {
            endByCall[call.callID] = max(known, end)
            return
        }
        // Whatever has ended goes first; almost always calls end in the order in which they were told.
        while let oldest = first, endByCall.count >= limit || (endByCall[oldest] ?? now) <= now { forget(oldest) }
        endByCall[call.callID] = end
        order.append(call.callID)
    }

    private var first: String? { head < order.count ? order[head] : nil }

    private mutating func forget(_ oldest: String) {
        endByCall[oldest] = nil
        head += 1
        if head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
    }
}

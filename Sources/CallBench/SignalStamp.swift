public import NetPrimitives

/// What a candidate of the generator carries so that whoever hears it knows which it is and when it was due.
public struct SignalStamp: Hashable, Sendable {
    /// Counts the sender's candidates of one call, from 0.
    public let number: UInt64
    /// When it was due.
    public let due: Instant

    /// Stamps a candidate.
    public init(number: UInt64, due: Instant) {
        self.number = number
        self.due = due
    }

    /// About as long as what browsers send.
    public var candidate: String {
        """
        {"candidate":"candidate:842163049 1 udp 1677729535 203.0.113.77 46154 typ srflx raddr 10.0.0.17 rport 46154 \
        generation 0 ufrag due\(due.nanoseconds)n\(number)e network-cost 999","sdpMid":"0","sdpMLineIndex":0,\
        "usernameFragment":"EsAw"}
        """
    }

    /// Finds the first stamp in an event's payload; nil if there is none.
    public init?(in payload: String) {
        var offset = 0
        guard let stamp = Self.next(in: payload.utf8.span, from: &offset) else { return nil }
        self = stamp
    }

    /// All stamps in a text, such as the list of what a resuming client missed, in order.
    public static func all(in text: String) -> [SignalStamp] {
        var stamps: [SignalStamp] = []
        var offset = 0
        while let stamp = next(in: text.utf8.span, from: &offset) { stamps.append(stamp) }
        return stamps
    }

    private static func next(in bytes: Span<UInt8>, from offset: inout Int) -> SignalStamp? {
        guard var place = PayloadText.end(of: marker, in: bytes, from: offset) else { return nil }
        offset = place
        guard let due = PayloadText.digits(in: bytes, &place), place < bytes.count, bytes[place] == UInt8(ascii: "n")
        else { return nil }
        place += 1
        guard let number = PayloadText.digits(in: bytes, &place) else { return nil }
        offset = place
        return SignalStamp(number: number, due: Instant(nanoseconds: due))
    }

    private static let marker = Array(" ufrag due".utf8)
}

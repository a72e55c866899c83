import NetPrimitives

/// RESERVATION-TOKEN (RFC 8656 §18.10): eight bytes that name a reserved port.
public struct ReservationToken: Hashable, Sendable, BitwiseCopyable {
    /// The eight bytes as one integer.
    public let bits: UInt64

    /// The token of these bits.
    public init(bits: UInt64) { self.bits = bits }
}

extension MessageView {
    /// RESERVATION-TOKEN; nil if there is none or it is malformed.
    public var reservationToken: ReservationToken? {
        guard let attribute = first(.reservationToken), attribute.length == 8 else { return nil }
        return value(of: attribute).uint64(at: 0).map { ReservationToken(bits: $0) }
    }
}

extension MessageBuilder {
    /// Appends RESERVATION-TOKEN.
    public mutating func appendReservationToken(_ token: ReservationToken) {
        appendHeader(.reservationToken, length: 8)
        writer.append(token.bits)
    }
}

internal import NetPrimitives
internal import STUNCore

/// The ports that are kept for the holders of tokens (RFC 8656 §7.2, RESERVATION-TOKEN).
struct ReservationBook: Sendable {
    struct Reservation: Sendable {
        let endpoint: Endpoint
        /// Whose it is, and who is charged for it.
        let user: String
        let until: Instant
    }

    private var byToken: [ReservationToken: Reservation] = [:]
    /// No reservation ends before.
    private var earliestEnd = Instant(nanoseconds: .max)

    var count: Int { byToken.count }

    func contains(_ token: ReservationToken) -> Bool { byToken[token] != nil }

    /// Keeps a port under a token that is not in use.
    mutating func insert(_ reservation: Reservation, under token: ReservationToken) {
        precondition(byToken[token] == nil, "a token names one port")
        byToken[token] = reservation
        earliestEnd = min(earliestEnd, reservation.until)
    }

    /// Takes a reservation out; nil if there is none, or if it is somebody else's, whose name may look alike.
    mutating func remove(_ token: ReservationToken, of user: String) -> Reservation? {
        guard let reservation = byToken[token], reservation.user.isIdentical(to: user) else { return nil }
        byToken[token] = nil
        return reservation
    }

    /// Takes out what has ended. Looks at all only when one of them may have.
    mutating func removeEnded(_ now: Instant) -> [Reservation] {
        guard earliestEnd <= now else { return [] }
        let ended = byToken.filter { $0.value.until <= now }
        for token in ended.keys { byToken[token] = nil }
        earliestEnd = byToken.values.map(\.until).min() ?? Instant(nanoseconds: .max)
        return Array(ended.values)
    }
}

/// When transactions begin, so that what is worth the wait shares one.
///
/// A transaction with its sync costs as much as a dozen of the writes in it. The first write after a rest begins one at
/// once; behind that, writes that somebody waits for collect for a moment, and patient ones, candidates, for a longer one:
/// whoever gathers paths to try pauses longer between them.
struct CommitSchedule {
    /// From one transaction's beginning to the next one's, if a write in it is urgent or so many wait as `crowd`.
    static let urgentInterval = Duration.milliseconds(4)
    /// The same if all that wait are patient.
    static let patientInterval = Duration.milliseconds(20)
    /// Writes that have company enough.
    static let crowd = 64

    /// What is to be done.
    enum Step: Equatable {
        /// Begin a transaction; `ended` follows.
        case begin
        /// Call `timeIsUp` with this ticket after so long.
        case wait(Duration, ticket: UInt64)
        /// Nothing: it is arranged for.
        case nothing
    }

    private enum Phase: Equatable {
        case idle
        /// Nobody waits longer than for the urgent interval once `isHurried`.
        case waiting(ticket: UInt64, isHurried: Bool)
        case running
    }

    private var phase = Phase.idle
    private var lastBegan: ContinuousClock.Instant?
    private var lastTicket: UInt64 = 0

    /// A write has joined those that wait, of which one `isUrgent`, or none is.
    mutating func added(waiting: Int, isUrgent: Bool, now: ContinuousClock.Instant) -> Step {
        switch phase {
        case .running, .waiting(_, isHurried: true):
            return .nothing
        case .waiting where !Self.hurries(waiting: waiting, isUrgent: isUrgent):
            return .nothing
        case .idle, .waiting:
            return arrange(waiting: waiting, isUrgent: isUrgent, now: now)
        }
    }

    /// The time of a ticket has come; it may have been overtaken by another one.
    mutating func timeIsUp(ticket: UInt64, now: ContinuousClock.Instant) -> Step {
        guard case .waiting(ticket, _) = phase else { return .nothing }
        return begin(now)
    }

    /// The transaction is over; so many have come meanwhile.
    mutating func ended(waiting: Int, isUrgent: Bool, now: ContinuousClock.Instant) -> Step {
        phase = .idle
        return waiting == 0 ? .nothing : arrange(waiting: waiting, isUrgent: isUrgent, now: now)
    }

    private mutating func arrange(waiting: Int, isUrgent: Bool, now: ContinuousClock.Instant) -> Step {
        let isHurried = Self.hurries(waiting: waiting, isUrgent: isUrgent)
        let interval = isHurried ? Self.urgentInterval : Self.patientInterval
        guard let lastBegan, now < lastBegan + interval else { return begin(now) }
        lastTicket += 1
        phase = .waiting(ticket: lastTicket, isHurried: isHurried)
        return .wait(lastBegan + interval - now, ticket: lastTicket)
    }

    private mutating func begin(_ now: ContinuousClock.Instant) -> Step {
        phase = .running
        lastBegan = now
        return .begin
    }

    /// Whether a longer wait would gain nothing, or be felt.
    private static func hurries(waiting: Int, isUrgent: Bool) -> Bool { isUrgent || waiting >= crowd }
}

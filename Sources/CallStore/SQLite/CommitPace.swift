/// When the next transaction may begin, so that what is worth the wait shares one.
///
/// A transaction with its sync costs as much as a dozen of the writes in it. The first write after a rest begins one at
/// once; behind that, writes that somebody waits for collect for a moment, and patient ones, candidates, for a longer one:
/// whoever gathers paths to try pauses longer between them.
struct CommitPace {
    /// From one transaction's beginning to the next one's, if a write in it is urgent or so many wait as `crowd`.
    static let urgentInterval = Duration.milliseconds(4)
    /// The same if all that wait are patient.
    static let patientInterval = Duration.milliseconds(20)
    /// Writes that have company enough.
    static let crowd = 64

    private var lastBegan: ContinuousClock.Instant?

    /// A transaction begins.
    mutating func begin(at now: ContinuousClock.Instant) { lastBegan = now }

    /// How long the next transaction still has to wait; nil if it may begin.
    func delay(waiting: Int, isUrgent: Bool, now: ContinuousClock.Instant) -> Duration? {
        guard let lastBegan else { return nil }
        let interval = Self.hurries(waiting: waiting, isUrgent: isUrgent) ? Self.urgentInterval : Self.patientInterval
        let left = lastBegan + interval - now
        return left > .zero ? left : nil
    }

    /// Whether a longer wait would gain nothing, or be felt.
    static func hurries(waiting: Int, isUrgent: Bool) -> Bool { isUrgent || waiting >= crowd }
}

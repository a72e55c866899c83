import RelayRuntime
import Synchronization

/// What the relay's threads leave for whoever keeps the calls' accounts. Bounded, and never waited for: a notice for
/// which there is no room is lost and counted.
final class RelayNoticeQueue: Sendable {
    /// Notices that wait at most.
    static let limit = 16_384

    enum Item: Sendable {
        case notice(RelayNotice)
        /// Time to write down what has come together.
        case tick
    }

    let items: AsyncStream<Item>
    private let continuation: AsyncStream<Item>.Continuation
    private let lost = Atomic<UInt64>(0)

    init(limit: Int = limit) {
        (items, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(limit))
    }

    /// Leaves a notice.
    func send(_ notice: RelayNotice) {
        if case .dropped = continuation.yield(.notice(notice)) { lost.add(1, ordering: .relaxed) }
    }

    /// Reminds the reader of the time. One that is lost is made up for by the next.
    func tick() { continuation.yield(.tick) }

    /// Nothing more will come; what waits is still read.
    func finish() { continuation.finish() }

    /// How many notices were lost since this was asked last.
    func takeLost() -> UInt64 { lost.exchange(0, ordering: .relaxed) }
}

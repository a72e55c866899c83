public import CallModel
public import CallStore
import Synchronization

/// Takes notices of calls: somebody else's server.
public protocol NoticeReceiver: Sendable {
    /// Hands one over. Whether it was taken, else why not, without what was in it; may be cancelled.
    func take(_ notice: CallNotice, at now: Timestamp) async -> NoticeAnswer
}

/// What a receiver said.
public enum NoticeAnswer: Hashable, Sendable {
    /// It has the notice.
    case taken
    /// It has not, or nobody knows.
    case refused(reason: String)
}

/// Works off what the store has for others: of each call in the order of its events, each at least once, until it is taken or too
/// old. Any number of nodes may do so side by side, and whatever one was about to send when it died, another sends later.
public final class Outbox: Sendable {
    /// Notices that are under way at the same time, each of another call.
    static let concurrency = 32
    /// Milliseconds for which a claimed notice is nobody else's; more than a receiver is given to answer.
    public static let claimTime: Int64 = 15_000
    /// Milliseconds after which a notice that nobody took is given up.
    public static let lifetime: Int64 = 86_400_000
    /// Milliseconds between tries: the first pause, twice as long each time, and the longest.
    static let pauses: ClosedRange<Int64> = 1_000...600_000

    private let store: any CallStore
    private let receiver: any NoticeReceiver
    private let clock: @Sendable () -> Timestamp
    private let log: @Sendable (OutboxReport) -> Void
    private let bell = Bell()
    private let underway = Atomic(0)

    /// An outbox of the store's notices for one receiver.
    public init(
        store: any CallStore,
        receiver: any NoticeReceiver,
        clock: @escaping @Sendable () -> Timestamp,
        log: @escaping @Sendable (OutboxReport) -> Void
    ) {
        self.store = store
        self.receiver = receiver
        self.clock = clock
        self.log = log
    }

    /// There may be something new.
    func ring() { bell.ring() }

    /// Works until cancelled; looks at least every `interval` for what others wrote or what is due again.
    public func run(every interval: Duration = .seconds(1)) async {
        await withDiscardingTaskGroup { group in
            group.addTask { [bell] in await bell.ring(every: interval) }
            for await _ in bell.rings {
                let free = Self.concurrency - underway.load(ordering: .relaxed)
                for notice in await claim(free) {
                    underway.add(1, ordering: .relaxed)
                    group.addTask {
                        await self.send(notice)
                        self.underway.subtract(1, ordering: .relaxed)
                        // It may have another one of its call behind it, and there is room for any.
                        self.ring()
                    }
                }
            }
        }
    }

    private func claim(_ limit: Int) async -> [StoredNotice] {
        guard limit > 0, !Task.isCancelled else { return [] }
        let now = clock()
        let until = now.advanced(byMilliseconds: Self.claimTime)
        do throws(StoreFailure) {
            return try await store.claimNotices(at: now, until: until, limit: limit)
        } catch {
            log(.storeFailed(error))
            return []
        }
    }

    private func send(_ notice: StoredNotice) async {
        let answer = await receiver.take(notice.notice, at: clock())
        let now = clock()
        let outcome: NoticeOutcome
        switch answer {
        case .taken:
            outcome = .taken
            log(.taken)
        case .refused(let reason):
            let isTooOld = now >= notice.createdAt.advanced(byMilliseconds: Self.lifetime)
            outcome = isTooOld ? .givenUp(at: now) : .postponed(until: Self.retry(after: notice.attempts, now: now))
            log(.refused(notice, reason: reason, isGivenUp: isTooOld))
        }
        do throws(StoreFailure) {
            try await store.settle(notice, outcome)
        } catch {
            // The claim runs out, and it is sent again.
            log(.storeFailed(error))
        }
    }

    static func retry(after attempts: Int, now: Timestamp) -> Timestamp {
        now.advanced(byMilliseconds: pauses.doubled(after: attempts))
    }
}

/// What the operator should know of the outbox.
public enum OutboxReport: Sendable {
    /// The store failed.
    case storeFailed(StoreFailure)
    /// A notice was taken.
    case taken
    /// A notice was not taken.
    case refused(StoredNotice, reason: String, isGivenUp: Bool)
}

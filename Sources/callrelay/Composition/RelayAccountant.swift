import CallService
import Logging
import ServiceLifecycle
import Synchronization

/// Writes down what the relay does for calls: allocations and their ends in the audit, bytes with the participants.
///
/// Ends with the queue, which the relay's end finishes, so that what a drain ends is written down too.
struct RelayAccountant: Service {
    let queue: RelayNoticeQueue
    let calls: CallService
    let owners: RelayOwners
    let logger: Logger

    /// Between two times that bytes are written down: what a crash may cost.
    static let interval = Duration.seconds(2)
    /// For what the relay ends when the time to stop in order is over.
    static let overtime = Duration.seconds(5)

    func run() async throws {
        let overtime = Overtime()
        // A task of its own: this one is cancelled together with the relay's, whose last notices come only then.
        let books = Task { await keepBooks(until: overtime) }
        await withTaskCancellationHandler {
            await books.value
        } onCancel: {
            Task {
                try? await Task.sleep(for: Self.overtime)
                overtime.end()
                // What the queue holds is still read, even if the relay does not come to its end.
                queue.finish()
            }
        }
        // A service that ends before it is told to is taken for one that failed.
        try? await gracefulShutdown()
    }

    private func keepBooks(until overtime: Overtime) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    queue.tick()
                    do { try await Task.sleep(for: Self.interval) } catch { return }
                }
            }
            var books = RelayBooks(calls: calls, owners: owners, logger: logger, isLate: { overtime.isOver })
            for await item in queue.items {
                switch item {
                case .notice(let notice): await books.enter(notice)
                case .tick: await books.tick(lost: queue.takeLost())
                }
            }
            await books.close(lost: queue.takeLost())
            group.cancelAll()
        }
    }
}

/// The time that is left for the books. Not a task's cancellation, which would make the store refuse to be read.
private final class Overtime: Sendable {
    private let hasEnded = Atomic(false)

    var isOver: Bool { hasEnded.load(ordering: .relaxed) }

    func end() { hasEnded.store(true, ordering: .relaxed) }
}

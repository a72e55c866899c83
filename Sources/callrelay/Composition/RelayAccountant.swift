import CallModel
import CallService
import Logging
import RelayRuntime
import ServiceLifecycle
import TURNRelay

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
        // A task of its own: this one is cancelled together with the relay's, whose last notices come only then.
        let books = Task { await keepBooks() }
        await withTaskCancellationHandler {
            await books.value
        } onCancel: {
            Task {
                try? await Task.sleep(for: Self.overtime)
                books.cancel()
            }
        }
        // A service that ends before it is told to is taken for one that failed.
        try? await gracefulShutdown()
    }

    private func keepBooks() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    queue.tick()
                    do { try await Task.sleep(for: Self.interval) } catch { return }
                }
            }
            var books = RelayBooks(calls: calls, owners: owners, logger: logger)
            for await item in queue.items where !Task.isCancelled {
                switch item {
                case .notice(let notice): await books.enter(notice)
                case .tick: await books.write(lost: queue.takeLost())
                }
            }
            await books.write(lost: queue.takeLost())
            group.cancelAll()
        }
    }
}

/// The accountant's state.
struct RelayBooks {
    let calls: CallService
    var owners: RelayOwners
    let logger: Logger
    var ledger = RelayLedger()

    init(calls: CallService, owners: RelayOwners, logger: Logger) {
        self.calls = calls
        self.owners = owners
        self.logger = logger
    }

    mutating func enter(_ notice: RelayNotice) async {
        do throws(CallFailure) {
            switch notice {
            case .allocationOpened(let allocation, let username, _, _, _):
                guard let owner = try await owners.owner(of: username, in: calls) else { return }
                let isAudited = owners.mayAudit(owner.call)
                ledger.opened(allocation, by: owner, isAudited: isAudited)
                if isAudited { try await calls.relayAllocated(owner.call, by: owner.user) }
            case .allocationTraffic(let allocation, let traffic):
                ledger.relayed(traffic, by: allocation)
            case .allocationClosed(let allocation, let username, let cause, let traffic):
                // Looked up only if its beginning was not heard of: the store may fail just now, or have lost the call.
                var owner = ledger.owner(of: allocation)
                if owner == nil { owner = try await owners.owner(of: username, in: calls) }
                guard let owner, ledger.closed(allocation, by: owner, traffic) else { return }
                let use = RelayUse(traffic)
                // The bytes first: who reads of the end finds them counted.
                await write(lost: 0)
                try await calls.relayReleased(owner.call, by: owner.user, RelayEnd(cause), use: use)
            }
        } catch {
            logger.warning("relay use was not written to the audit", metadata: ["code": "\(error.code)"])
        }
    }

    /// Writes bytes down; what cannot be written now waits.
    mutating func write(lost: UInt64) async {
        if lost > 0 {
            logger.warning("notices of relay use were lost: too many at once", metadata: ["count": "\(lost)"])
        }
        let uses = ledger.takeUnwritten()
        guard !uses.isEmpty else { return }
        do throws(CallFailure) {
            try await calls.addRelayUse(uses)
        } catch {
            ledger.putBack(uses)
        }
    }
}

extension RelayEnd {
    init(_ cause: CloseCause) {
        self =
            switch cause {
            case .released: .released
            case .expired: .expired
            case .callEnded: .callEnded
            case .drained: .drained
            }
    }
}

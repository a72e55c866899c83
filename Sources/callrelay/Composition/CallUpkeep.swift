import CallModel
import CallService
import CallStore
import Logging
import ServiceLifecycle
import SignalingGateway

/// What goes on beside requests: deadlines of calls, and old rows.
struct CallUpkeep: Service {
    let calls: CallService
    let store: any CallStore
    /// Milliseconds after which ended calls and their audit go; nil keeps them.
    let retention: Int64?
    let clock: @Sendable () -> Timestamp
    let logger: Logger

    private static let pruneInterval = Duration.seconds(600)
    private static let pruneLimit = 500

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await calls.runDeadlines() }
                group.addTask { await pruneForever() }
            }
        }
    }

    private func pruneForever() async {
        while !Task.isCancelled {
            await prune()
            do {
                try await Task.sleep(for: Self.pruneInterval)
            } catch {
                return
            }
        }
    }

    private func prune() async {
        let now = clock()
        let before = retention.map { now.advanced(byMilliseconds: -$0) } ?? Timestamp(milliseconds: 0)
        let keysBefore = now.advanced(byMilliseconds: -IdempotencyKey.lifetime)
        do throws(StoreFailure) {
            var removed: Int
            repeat {
                removed = try await store.prune(endedBefore: before, keysBefore: keysBefore, limit: Self.pruneLimit)
            } while removed == Self.pruneLimit && !Task.isCancelled
        } catch {
            logger.error("old calls could not be pruned", metadata: ["reason": "\(error)"])
        }
    }
}

/// Ends the sockets when the server stops, so that clients hear of it and their calls go into grace before the store
/// closes.
struct GatewayLifecycle: Service {
    let gateway: SocketGateway

    func run() async throws {
        try? await gracefulShutdown()
        await gateway.shutDown()
    }
}

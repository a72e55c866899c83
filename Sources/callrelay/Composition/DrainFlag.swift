import CallAPI
import CallModel
import CallStore
import ServiceLifecycle
import Synchronization

/// Knows whether the server is stopping, for `/readyz`. A class because requests and the service group share it.
final class DrainFlag: Service {
    private let isDraining = Atomic(false)

    /// Whether the server is stopping.
    var isSet: Bool { isDraining.load(ordering: .relaxed) }

    func run() async throws {
        try await gracefulShutdown()
        isDraining.store(true, ordering: .relaxed)
    }

    /// Ready while the server is not stopping and the store answers.
    func readiness(_ store: any CallStore) async -> Readiness {
        if isSet {
            return .notReady(code: "draining", detail: "The server is stopping.")
        }
        do throws(StoreFailure) {
            _ = try await store.callsDue(at: Timestamp(milliseconds: 0), limit: 1)
            return .ready
        } catch {
            return .notReady(code: "store_unavailable", detail: "The call store does not answer.")
        }
    }
}

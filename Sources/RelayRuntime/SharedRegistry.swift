import Locking
import NetPrimitives
import TURNRelay

/// The one registry of relay ports and quotas of all shards. Locked when allocations open and close, never for a packet.
final class SharedRegistry: Sendable {
    private struct State {
        var registry: AllocationRegistry
        var random = SystemRandomNumberGenerator()
        var isClosed = false
    }

    private let state: Locked<State>

    init(_ registry: AllocationRegistry) {
        state = Locked(State(registry: registry))
    }

    func lease(_ user: String, _ wish: PortWish, now: Instant) -> LeaseAnswer {
        state.withLock { state in
            guard !state.isClosed else { return .capacity }
            return state.registry.lease(user, wish, now: now, random: &state.random)
        }
    }

    func retry(_ lease: RelayLease, now: Instant) -> LeaseAnswer {
        state.withLock { $0.registry.retry(lease, now: now, random: &$0.random) }
    }

    func abandon(_ lease: RelayLease, now: Instant) {
        state.withLock { $0.registry.abandon(lease, now: now) }
    }

    func discharge(_ lease: RelayLease) {
        state.withLock { $0.registry.discharge(lease) }
    }

    func vacate(_ lease: RelayLease, now: Instant) {
        state.withLock { $0.registry.vacate(lease, now: now) }
    }

    /// Leases nothing any more, to no shard.
    func close() {
        state.withLock { $0.isClosed = true }
    }

    /// Whether no shard has a relay. Once true of a closed registry, true for good.
    var isEmpty: Bool { state.withLock { $0.registry.leaseCount == 0 } }
}

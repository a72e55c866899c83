import NetPrimitives
import Synchronization
import TURNRelay

/// The one registry of relay ports and quotas of all shards. Locked when allocations open and close, never for a packet.
final class SharedRegistry: Sendable {
    private let registry: Mutex<AllocationRegistry>

    init(_ registry: AllocationRegistry) {
        self.registry = Mutex(registry)
    }

    func lease(_ user: String, on address: IPAddress, parity: PortParity, now: Instant) -> LeaseAnswer {
        registry.withLock { registry in
            var random = SystemRandomNumberGenerator()
            return registry.lease(user, on: address, parity: parity, now: now, random: &random)
        }
    }

    func retry(_ lease: RelayLease, now: Instant) -> LeaseAnswer {
        registry.withLock { registry in
            var random = SystemRandomNumberGenerator()
            return registry.retry(lease, now: now, random: &random)
        }
    }

    func release(_ lease: RelayLease, now: Instant) {
        registry.withLock { $0.release(lease, now: now) }
    }
}

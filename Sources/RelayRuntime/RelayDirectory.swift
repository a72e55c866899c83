import Locking
import NetPrimitives

/// Which shard has the relay socket of a local endpoint: what an ICMP error, heard by one shard for all, is delivered by.
/// Locked when relays open and close and when an error comes, never for a packet.
final class RelayDirectory: Sendable {
    /// A relay socket's place.
    struct Place: Hashable {
        let socket: SocketID
        let shard: UInt32

        init(shard: Int, socket: SocketID) {
            self.socket = socket
            self.shard = UInt32(shard)
        }
    }

    private let places = Locked<[Endpoint: Place]>([:])

    func enter(_ endpoint: Endpoint, at place: Place) {
        places.withLock { $0[endpoint] = place }
    }

    func remove(_ endpoint: Endpoint) {
        places.withLock { $0[endpoint] = nil }
    }

    func place(of endpoint: Endpoint) -> Place? {
        places.withLock { $0[endpoint] }
    }
}

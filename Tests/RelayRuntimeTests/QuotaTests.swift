import NetPrimitives
import RelayRuntime
import STUNCore
import Synchronization
import Testing

@Suite("Quotas over several shards")
struct QuotaTests {
    /// Clients that ask at the same time, in this many tasks.
    private static let tasks = 3
    private static let clientsPerTask = 15

    @Test("one user's clients on all shards have exactly the quota, and can have it again afterwards")
    func perUser() async throws {
        try await withRelay(workers: 3, { $0.userQuota = 20 }) { relay, server in
            for round in 0..<4 {
                #expect(try await grantedAtOnce(server) == 20, "round \(round)")
                try await settle(relay)
            }
        }
    }

    @Test("all users' clients on all shards have exactly the total quota")
    func total() async throws {
        try await withRelay(workers: 3, { $0.totalQuota = 17 }) { relay, server in
            #expect(try await grantedAtOnce(server) == 17)
            try await settle(relay)
            #expect(try await grantedAtOnce(server) == 17)
        }
    }

    /// Waits until no allocation is left. Their leases are given back before the pass that ends them is counted.
    private func settle(_ relay: RelayService) async throws {
        try await eventually("all are gone") { relay.counters().liveAllocations == 0 }
    }

    /// How many of the clients got an allocation while all others held theirs; the rest were refused with 486.
    private func grantedAtOnce(_ server: Endpoint) async throws -> Int {
        let asked = Asked()
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<Self.tasks {
                group.addTask {
                    var granted: [TestClient] = []
                    for _ in 0..<Self.clientsPerTask {
                        let client = try TestClient(of: server)
                        let answer = try client.request(.allocate) { $0.appendRequestedTransport(.udp) }
                        if answer.isSuccess { granted.append(client) } else { #expect(answer.error == 486) }
                    }
                    asked.tasks.add(1, ordering: .relaxed)
                    while asked.tasks.load(ordering: .relaxed) < Self.tasks {
                        try await Task.sleep(for: .milliseconds(5))
                    }
                    for client in granted { #expect(try client.refresh(seconds: 0).isSuccess) }
                    return granted.count
                }
            }
            return try await group.reduce(0, +)
        }
    }
}

/// How many tasks have asked for all their allocations.
private final class Asked: Sendable {
    let tasks = Atomic(0)
}

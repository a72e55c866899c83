import NetPrimitives
import PacketIO
import RelayRuntime
import STUNServer
import TURNRelay
import Testing

let loopback = IPAddress(ipv4: 0x7F00_0001)
let loopback6 = IPAddress(ipv6High: 0, low: 1)

/// Ports below those that the system hands out by itself, so that no other socket of a test has them.
func randomPorts(count: UInt16) -> ClosedRange<UInt16> {
    let first = UInt16.random(in: 20_000...(32_000 - count))
    return first...(first + count - 1)
}

/// One shard that has every client, and several that share them by the kernel's choice: both have to behave the same.
let shardCounts = [1, 3]

/// A relay on loopback that lets its clients reach loopback peers; stopped when `body` returns.
func withRelay(
    workers: Int = 1,
    listen: [IPAddress] = [loopback],
    _ change: (inout RelayConfiguration) -> Void = { _ in },
    notify: @escaping @Sendable (RelayNotice) -> Void = { _ in },
    _ body: (RelayService, Endpoint) async throws -> Void
) async throws {
    try await withRelay(workers: workers, listen: listen, change, notify: notify) { relay, server, _ in
        try await body(relay, server)
    }
}

/// The same with all its listeners, the first one ahead.
func withRelay(
    workers: Int = 1,
    listen: [IPAddress] = [loopback],
    _ change: (inout RelayConfiguration) -> Void = { _ in },
    notify: @escaping @Sendable (RelayNotice) -> Void = { _ in },
    _ body: (RelayService, Endpoint, [Endpoint]) async throws -> Void
) async throws {
    var configuration = try RelayConfiguration.forTests(listen: listen)
    configuration.workers = workers
    change(&configuration)
    let relay = RelayService(configuration, notify: notify)
    let summary = try relay.start()
    #expect(summary.workers == workers)
    let result: Result<Void, any Error>
    do {
        try await body(relay, summary.listeners[0], summary.listeners)
        result = .success(())
    } catch {
        result = .failure(error)
    }
    await relay.stop(drainingFor: .zero)
    try await relay.waitUntilStopped()
    try result.get()
}

extension RelayConfiguration {
    static func forTests(listen: [IPAddress] = [loopback]) throws -> RelayConfiguration {
        let book = CredentialBook(realm: "tests", staticUsers: ["alice": "wonderland", "bob": "builder"])
        var configuration = RelayConfiguration(listenAddresses: listen, credentials: book)
        configuration.port = 0
        configuration.relayPorts = randomPorts(count: 4000)
        configuration.allowedPeers = try ["127.0.0.0/8", "::1/128"].map { try IPPrefix(parsing: $0) }
        configuration.userQuota = 0
        configuration.limits.unauthenticatedRepliesPerSecond = 0
        return configuration
    }
}

/// Waits until `condition` holds; the test fails if it does not within some seconds.
func eventually(_ what: Comment, _ condition: () throws -> Bool) async throws {
    for _ in 0..<1000 {
        if try condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record(what)
}

/// Whether nobody has this UDP endpoint.
func isFree(_ endpoint: Endpoint) -> Bool {
    (try? UDPSocket(boundTo: endpoint)) != nil
}

import Foundation
import NetPrimitives
import RelayRuntime
import STUNServer
import ServerConfiguration
import TURNRelay
import Testing

@testable import callrelay

@Suite("The relay's configuration out of the server's")
struct RelaySetupTests {
    private func relay(_ environment: [String: String]) throws -> RelayConfiguration {
        let configuration = try ServerConfiguration(ConfigurationSources(environment: environment)) { _ in nil }
        return RelayConfiguration(try #require(configuration.turn), secrets: [])
    }

    @Test("what nobody has set is the hardened default")
    func defaults() throws {
        let relay = try relay(["AUTH_MODE": "off", "TURN_SHARED_SECRET": "north"])
        #expect(relay.allowedPeers.isEmpty && relay.deniedPeers == PeerPolicy.defaultDenied)
        #expect(relay.userQuota == 100)
        #expect(relay.limits.unauthenticatedRepliesPerSecond == 50)
        #expect(relay.limits.permissionsPerAllocation == 64 && relay.limits.channelsPerAllocation == 64)
        #expect(relay.limits.defaultLifetimeSeconds == 600 && relay.limits.maximumLifetimeSeconds == 3600)
        #expect(relay.relayPorts == 49_152...65_535)
        #expect(NonceMinter.lifetimeSeconds == 600)
    }

    @Test("the ranges that docs/security.md gives to begin TURN_DENIED_PEERS with are the default")
    func documentedRanges() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/security.md")
        let parts = try String(contentsOf: path, encoding: .utf8).components(separatedBy: "```")
        let ranges = try #require(parts.dropFirst().first).filter { !$0.isWhitespace }
        #expect(try relay(["TURN_DENIED_PEERS": ranges]).deniedPeers == PeerPolicy.defaultDenied)
    }

    @Test("dev mode opens loopback, where it listens, and nothing else")
    func devMode() throws {
        let relay = try relay([:])
        #expect(relay.listenAddresses.map(\.description) == ["127.0.0.1", "::1"])
        #expect(relay.allowedPeers.map(\.description) == ["127.0.0.0/8", "::1/128"])
        #expect(relay.deniedPeers == PeerPolicy.defaultDenied && relay.userQuota == 100)
    }

    @Test("the settings allow as many workers as the relay does")
    func workerLimit() {
        #expect(TURNSettings.workerLimit == RelayService.workerLimit)
    }

    @Test("settings reach the relay")
    func settings() throws {
        let relay = try relay([
            "TURN_DENIED_PEERS": "8.8.8.0/24", "TURN_ALLOWED_PEERS": "", "TURN_USER_QUOTA": "7",
            "TURN_TOTAL_QUOTA": "8", "TURN_MAX_BPS": "9", "TURN_TOTAL_BPS": "10", "TURN_UNAUTH_REPLIES": "11",
            "TURN_RELAY_MIN_PORT": "50000",
        ])
        #expect(relay.deniedPeers.map(\.description) == ["8.8.8.0/24"] && relay.allowedPeers.isEmpty)
        #expect((relay.userQuota, relay.totalQuota) == (7, 8))
        #expect((relay.bandwidth.perAllocation, relay.bandwidth.total) == (9, 10))
        #expect(relay.limits.unauthenticatedRepliesPerSecond == 11)
        #expect(relay.relayPorts == 50_000...65_535)
    }
}

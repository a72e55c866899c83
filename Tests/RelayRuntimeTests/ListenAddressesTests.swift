import NetPrimitives
import PacketIO
import TURNRelay
import Testing

@testable import RelayRuntime

@Suite("Addresses to listen on and to tell")
struct ListenAddressesTests {
    private let lo4 = IPAddress(ipv4: 0x7F00_0001)
    private let lo6 = IPAddress(ipv6High: 0, low: 1)
    private let private4 = IPAddress(ipv4: 0x0A00_0005)
    private let public4 = IPAddress(ipv4: 0x0808_0404)
    private let public6 = IPAddress(ipv6High: 0x2A00_0000_0000_0000, low: 9)

    private func interfaces(_ addresses: IPAddress...) -> [NetworkInterfaces.Address] {
        addresses.map { NetworkInterfaces.Address(address: $0, isLoopback: $0 == lo4 || $0 == lo6) }
    }

    @Test("a wildcard stands for the interface addresses, loopback left out")
    func wildcard() {
        let listen = ListenAddresses(
            [.unspecified(.ipv4), .unspecified(.ipv6)],
            interfaces: interfaces(lo4, private4, public4, lo6, public6)
        )
        #expect(listen.addresses == [private4, public4, public6])
        #expect(listen.warnings.isEmpty)
    }

    @Test("a wildcard stands for loopback where there is nothing else")
    func loopbackAlone() {
        let listen = ListenAddresses([.unspecified(.ipv4)], interfaces: interfaces(lo4))
        #expect(listen.addresses == [lo4])
    }

    @Test("a family that the machine does not have is a warning")
    func missingFamily() {
        let listen = ListenAddresses([lo4, lo6], interfaces: interfaces(lo4))
        #expect(listen.addresses == [lo4])
        #expect(listen.warnings.count == 1)
        #expect(listen.warnings.first?.contains("IPv6") == true)
    }

    @Test("an address named twice is bound once")
    func duplicates() {
        let listen = ListenAddresses([public4, .unspecified(.ipv4)], interfaces: interfaces(lo4, public4))
        #expect(listen.addresses == [public4])
    }

    @Test("a relay lives on the address that was reached, or on the pinned one")
    func relayAddresses() {
        let free = RelayPlan(listeners: [private4, public4, lo6], relay: [], external: []) { _ in nil }
        #expect(free.byListener.map(\.ipv4?.bound) == [private4, public4, private4])
        #expect(free.byListener.map(\.ipv4?.external) == [private4, public4, private4])
        let pinned = RelayPlan(listeners: [private4, public4], relay: [public4], external: []) { _ in nil }
        #expect(pinned.byListener.map(\.ipv4?.bound) == [public4, public4])
        let mapped = RelayPlan(listeners: [private4], relay: [], external: [public4]) { _ in nil }
        #expect(mapped.byListener.map(\.ipv4?.external) == [public4])
        #expect(mapped.ownRelays == [RelayAddress(bound: private4, external: public4)])
    }

    @Test(
        "behind an external address all relays of its family are bound to one, so that no two clients are told the same"
    )
    func oneRelayAddress() {
        let bridge = IPAddress(ipv4: 0xAC11_0001)
        let one = RelayAddress(bound: private4, external: public4)
        let listeners = [bridge, private4, lo4, public6, lo6]
        let usual = RelayPlan(listeners: listeners, relay: [], external: [public4]) { family in
            family == .ipv4 ? private4 : nil
        }
        #expect(usual.byListener.map(\.ipv4) == [one, one, one, one, one])
        #expect(usual.byListener.map(\.ipv6?.bound) == [public6, public6, lo6, public6, lo6], "told as they are")
        #expect(usual.ownRelays == [one, RelayAddress(bound: public6)])
        #expect(usual.warnings.count == 1 && usual.warnings[0].contains("\(private4); TURN_RELAY_IP"))
        let first = RelayPlan(listeners: listeners, relay: [], external: [public4]) { _ in nil }
        #expect(first.byListener.allSatisfy { $0.ipv4 == RelayAddress(bound: bridge, external: public4) })
        let pinned = RelayPlan(listeners: listeners, relay: [private4], external: [public4]) { _ in bridge }
        #expect(pinned.byListener.allSatisfy { $0.ipv4 == one })
        #expect(pinned.warnings.isEmpty)
        let single = RelayPlan(listeners: [private4, lo4], relay: [], external: [public4]) { _ in nil }
        #expect(single.byListener.map(\.ipv4) == [one, one])
        #expect(single.warnings.isEmpty, "nothing to choose")
        let local = RelayPlan(listeners: [lo4, public6], relay: [], external: [public4]) { _ in nil }
        #expect(local.byListener.map(\.ipv4?.bound) == [lo4, nil], "on loopback for none but those who came there")
    }

    @Test(
        "a client of one family gets relays of the other where that family is listened to, and on loopback only there"
    )
    func otherFamily() {
        let dual = RelayPlan(listeners: [private4, public4, public6], relay: [], external: []) { family in
            family == .ipv4 ? public4 : nil
        }
        #expect(dual.byListener.map(\.ipv6?.bound) == [public6, public6, public6])
        #expect(
            dual.byListener.map(\.ipv4?.bound) == [private4, public4, public4],
            "the way to the internet goes first"
        )
        let local = RelayPlan(listeners: [public4, lo4, lo6], relay: [], external: []) { _ in nil }
        #expect(local.byListener.map(\.ipv6?.bound) == [nil, lo6, lo6])
        #expect(local.byListener.map(\.ipv4?.bound) == [public4, lo4, lo4])
        #expect(local.ownRelays.map(\.bound) == [public4])
        let told = RelayPlan(listeners: [private4], relay: [public6], external: [public4, public6]) { _ in nil }
        #expect(
            told.byListener == [
                RelayAddresses(
                    ipv4: RelayAddress(bound: private4, external: public4),
                    ipv6: RelayAddress(bound: public6)
                )
            ]
        )
    }

    @Test(
        "the shards share the budget of unauthenticated replies",
        arguments: [(50, 1, 50), (50, 4, 13), (3, 8, 1), (0, 4, 0)] as [(UInt32, Int, UInt32)]
    )
    func replyBudget(all: UInt32, shards: Int, each: UInt32) throws {
        var configuration = try RelayConfiguration.forTests()
        configuration.limits.unauthenticatedRepliesPerSecond = all
        let plan = RelayPlan(listeners: [lo4], relay: [], external: []) { _ in nil }
        #expect(
            configuration.core(plan, shards: shards, listeningOn: [], live: LiveRelayPorts([])).limits
                .unauthenticatedRepliesPerSecond == each
        )
    }

    @Test("loopback relays are open to peers only where everything is loopback")
    func loopbackRelays() {
        let mixed = RelayPlan(listeners: [lo4, public4], relay: [], external: []) { _ in nil }
        #expect(mixed.ownRelays.map(\.bound) == [public4])
        #expect(mixed.listeners == [lo4, public4])
        let development = RelayPlan(listeners: [lo4, lo6], relay: [], external: []) { _ in nil }
        #expect(development.ownRelays.map(\.bound) == [lo4, lo6])
        let told = RelayPlan(listeners: [lo4, private4], relay: [], external: [public4]) { _ in nil }
        #expect(told.ownRelays == [RelayAddress(bound: private4, external: public4)], "an external address opens none")
        let pinned = RelayPlan(listeners: [private4], relay: [lo4], external: [public4]) { _ in nil }
        #expect(pinned.ownRelays.isEmpty)
        let listener = Endpoint(address: private4, port: 3478)
        #expect(
            pinned.services(listeningOn: [listener]) == [listener, Endpoint(address: public4, port: 3478)],
            "the server as seen from outside is no peer, whatever the relays are"
        )
    }

    @Test("clients are told the external address, else the only one, else that of the default route")
    func advertised() {
        let external = RelayPlan(listeners: [private4], relay: [], external: [public4]) { _ in nil }
        #expect(external.advertised == [public4])
        let only = RelayPlan(listeners: [public4], relay: [], external: []) { _ in private4 }
        #expect(only.advertised == [public4])
        let several = RelayPlan(listeners: [private4, public4], relay: [], external: []) { _ in public4 }
        #expect(several.advertised == [public4])
    }

    @Test("a private address told to clients is a warning, unless everything is loopback")
    func privateAddress() {
        let behindNAT = RelayPlan(listeners: [private4], relay: [], external: []) { _ in nil }
        #expect(behindNAT.warnings.first?.contains("TURN_EXTERNAL_IP") == true)
        let development = RelayPlan(listeners: [lo4, lo6], relay: [], external: []) { _ in nil }
        #expect(development.warnings.isEmpty)
    }
}

import NetPrimitives
import Testing

@testable import TURNRelay

@Suite("PeerPolicy")
struct PeerPolicyTests {
    @Test(
        "denies by default whatever is not the public internet",
        arguments: [
            "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "10.1.2.3", "172.16.0.1", "172.31.255.255",
            "192.168.1.1", "100.64.0.1", "100.127.255.255", "169.254.169.254", "192.0.0.8", "192.0.2.1", "192.31.196.1",
            "192.52.193.1", "192.175.48.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
            "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
            "100.100.100.200", "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1",
            "2001:db8::1", "2001:10::1", "3fff::1", "5f00::1", "2620:4f:8000::1", "64:ff9b:1::1",
        ]
    )
    func deniedByDefault(text: String) throws {
        #expect(try PeerPolicy().answer(IPAddress(parsing: text)) == .denied)
    }

    @Test(
        "allows the public internet with every port",
        arguments: [
            "1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "2606:4700::1111", "2a00::1",
        ]
    )
    func allowedByDefault(text: String) throws {
        #expect(try PeerPolicy().answer(IPAddress(parsing: text)) == .allowed)
    }

    @Test(
        "sees an IPv4 address through every encoding",
        arguments: [
            "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0.0.0.0", "::127.0.0.1", "::10.1.2.3", "2002:7f00:1::1",
            "2002:a01:203::", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254",
            "::ffff:0:7f00:1", "2001:0:7f00:1::80ff:fffe", "2001:0:808:808::80ff:fffe",
        ]
    )
    func embedded(text: String) throws {
        let everything = try PeerPolicy(denied: [IPPrefix(parsing: "127.0.0.0/8"), IPPrefix(parsing: "10.0.0.0/8")])
        #expect(try everything.answer(IPAddress(parsing: text)) == .denied)
        #expect(try PeerPolicy().answer(IPAddress(parsing: text)) == .denied)
    }

    @Test("Teredo hides its client inverted and its server in the clear")
    func teredo() throws {
        let address = try IPAddress(parsing: "2001:0:4136:e378:8000:63bf:3fff:fdd2")
        let forms = address.reachableForms
        #expect(forms.count == 3)
        #expect(try forms[1] == IPAddress(parsing: "192.0.2.45"))
        #expect(try forms[2] == IPAddress(parsing: "65.54.227.120"))
    }

    @Test("an allowed prefix opens a denied one, and no other form of it")
    func allowBeatsDeny() throws {
        let policy = try PeerPolicy(allowed: [IPPrefix(parsing: "127.0.0.0/8"), IPPrefix(parsing: "::1/128")])
        for text in ["127.0.0.1", "::1"] {
            #expect(try policy.answer(IPAddress(parsing: text)) == .allowed, "\(text)")
        }
        for text in ["10.0.0.1", "64:ff9b::127.0.0.1", "::ffff:127.0.0.1", "fe80::1"] {
            #expect(try policy.answer(IPAddress(parsing: text)) == .denied, "\(text)")
        }
        let translated = try PeerPolicy(allowed: [IPPrefix(parsing: "64:ff9b::/96")])
        #expect(try translated.answer(IPAddress(parsing: "64:ff9b::8.8.8.8")) == .allowed)
        #expect(try translated.answer(IPAddress(parsing: "64:ff9b::127.0.0.1")) == .denied, "the IPv4 form counts too")
    }

    @Test(
        "some addresses open to nobody",
        arguments: [
            "0.0.0.0", "::", "169.254.169.254", "168.63.129.16", "100.100.100.200", "fe80::1", "fec0::1",
            "fd00:ec2::254", "224.0.0.1", "ff02::1", "255.255.255.255", "2002:808:808::1", "2001:0:808:808::1",
            "::ffff:169.254.169.254", "64:ff9b::168.63.129.16", "::100.100.100.200",
        ]
    )
    func neverAllowed(text: String) throws {
        let open = try PeerPolicy(allowed: [IPPrefix(parsing: "0.0.0.0/0"), IPPrefix(parsing: "::/0")], denied: [])
        #expect(try open.answer(IPAddress(parsing: text)) == .denied)
        #expect(try open.answer(IPAddress(parsing: "10.0.0.1")) == .allowed)
    }

    @Test("our own relays are answered as such, as the outside sees them")
    func ownRelays() throws {
        let own = try IPAddress(parsing: "192.168.1.5")
        let policy = PeerPolicy(ownRelays: [RelayAddress(bound: own)])
        #expect(policy.answer(own) == .ownRelay)
        #expect(try policy.answer(IPAddress(parsing: "192.168.1.6")) == .denied)
        let named = try PeerPolicy(
            allowed: [IPPrefix(parsing: "192.168.0.0/16")],
            ownRelays: [RelayAddress(bound: own)]
        )
        #expect(named.answer(own) == .allowed, "reached at every port, so at the relays' ones too")
    }

    @Test("behind a NAT the own relay is the external address; the bound one is private like its neighbours")
    func translatedRelays() throws {
        let relay = try RelayAddress(bound: IPAddress(parsing: "10.0.0.5"), external: IPAddress(parsing: "8.8.8.8"))
        let policy = PeerPolicy(ownRelays: [relay])
        #expect(policy.answer(relay.external) == .ownRelay)
        #expect(policy.answer(relay.bound) == .denied)
        let named = try PeerPolicy(allowed: [IPPrefix(parsing: "8.8.8.0/24")], ownRelays: [relay])
        #expect(named.answer(relay.external) == .ownRelayOrOther, "a relay's datagram is translated all the same")
        let never = try RelayAddress(bound: relay.bound, external: IPAddress(parsing: "169.254.1.1"))
        #expect(PeerPolicy(ownRelays: [never]).answer(never.external) == .denied)
    }

    @Test("an address with a service of ours is no peer, unless relays live there or it is allowed by name")
    func ownServices() throws {
        let service = try Endpoint(parsing: "8.8.4.4:3478")
        let relay = try RelayAddress(bound: IPAddress(parsing: "8.8.8.8"))
        let services = try [service, Endpoint(parsing: "8.8.8.8:3478")]
        let policy = PeerPolicy(ownServices: services, ownRelays: [relay])
        #expect(policy.answer(service.address) == .denied)
        #expect(try policy.answer(IPAddress(parsing: "64:ff9b::8.8.4.4")) == .denied)
        #expect(policy.answer(relay.bound) == .ownRelay)
        let open = try PeerPolicy(allowed: [IPPrefix(parsing: "8.8.4.0/24")], ownServices: services)
        #expect(open.answer(service.address) == .allowedExceptServices)
        #expect(try open.answer(IPAddress(parsing: "8.8.4.5")) == .allowed)
    }

    @Test("a service on one loopback address closes its port on all of them")
    func loopbackServices() throws {
        let policy = try PeerPolicy(
            allowed: [IPPrefix(parsing: "127.0.0.0/8")],
            ownServices: [Endpoint(parsing: "127.0.0.1:3000")]
        )
        #expect(try policy.answer(IPAddress(parsing: "127.255.0.9")) == .allowedExceptServices)
    }
}

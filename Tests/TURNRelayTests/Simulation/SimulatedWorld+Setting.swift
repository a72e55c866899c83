import NetPrimitives
import STUNCore
import STUNServer
import TestSupport

@testable import TURNRelay

extension SimulatedWorld {
    /// Somebody with a fixed password, or with a credential for one call that no simulation outlives.
    struct User {
        let name: String
        let password: String
        let call: String?
        /// Who is charged for what it holds, by the registry's name.
        let charged: String

        init(number: Int) {
            name = "user\(number)"
            password = "secret of \(name)"
            call = nil
            charged = "static " + name
        }

        init(number: Int, call: String) {
            let tag = RelayUserTag(userID: "@user\(number)", secret: TURNScenario.secret)
            let credential = TimeLimitedCredential.mint(
                secret: TURNScenario.secret,
                expiry: 4_000_000_000,
                tag: tag,
                callID: call
            )
            name = credential.username
            password = credential.password
            self.call = call
            charged = "tag " + tag.text
        }

        var key: IntegrityKey { .longTerm(username: name, realm: TURNScenario.realm, password: password) }
    }

    /// What does not change in a simulation: addresses, users, limits. Limits are so tight that they are met.
    struct Setting {
        let users: [User]
        let credentials: CredentialBook
        let keys: [String: IntegrityKey]
        /// Of those whose credential names a call.
        let callByUsername: [String: String]
        /// Where a drain sends clients that come by IPv4; for the others it knows no server.
        let alternate: Endpoint
        let wrongKey = IntegrityKey.longTerm(username: "nobody", realm: TURNScenario.realm, password: "guessed")
        let ports: ClosedRange<UInt16> = 50_000...50_799
        let openPrefixes: [IPPrefix]
        let relays: [RelayAddress]
        /// Shared by all shards, and kept by the virtual shell.
        let liveRelays: LiveRelayPorts
        let peers: [Endpoint]
        let configuration: TURNConfiguration
        let registryLimits: AllocationRegistry.Limits
        let descriptorsPerShard: Int

        init(clients: Int, random: inout SeededGenerator) throws {
            users = (0..<max(3, clients / 30)).map { index in
                index % 3 == 2 ? User(number: index, call: "call\(index / 6)") : User(number: index)
            }
            keys = Dictionary(uniqueKeysWithValues: users.map { ($0.name, $0.key) })
            callByUsername = Dictionary(
                uniqueKeysWithValues: users.compactMap { user in user.call.map { (user.name, $0) } }
            )
            credentials = CredentialBook(
                realm: TURNScenario.realm,
                staticUsers: Dictionary(
                    uniqueKeysWithValues: users.filter { $0.call == nil }.map { ($0.name, $0.password) }
                ),
                sharedSecrets: [TURNScenario.secret]
            )
            alternate = try Endpoint(parsing: "203.0.113.77:3478")
            openPrefixes = try ["203.0.113.0/24", "2001:db8:1::/48"].map { try IPPrefix(parsing: $0) }
            let ipv4 = RelayAddress(
                bound: try IPAddress(parsing: "10.9.9.9"),
                external: try IPAddress(parsing: "192.0.2.1")
            )
            let ipv6 = RelayAddress(bound: try IPAddress(parsing: "2001:db8::1"))
            relays = [ipv4, ipv6]
            var peers: [Endpoint] = []
            for host in 1...6 {
                peers.append(try Endpoint(parsing: "203.0.113.\(host):1000"))
                peers.append(try Endpoint(parsing: "203.0.113.\(host):1001"))
                peers.append(try Endpoint(parsing: "[2001:db8:1::\(host)]:1000"))
            }
            peers.append(try Endpoint(parsing: "10.0.0.1:22"))
            peers.append(try Endpoint(parsing: "[::1]:22"))
            self.peers = peers
            var configuration = TURNConfiguration(
                relays: RelayAddresses(ipv4: ipv4, ipv6: ipv6),
                peers: PeerPolicy(allowed: openPrefixes, ownRelays: relays)
            )
            liveRelays = LiveRelayPorts(relays)
            configuration.liveRelays = liveRelays
            configuration.limits.permissionsPerAllocation = 6
            configuration.limits.channelsPerAllocation = 4
            configuration.limits.allocationsPerShard = random.oneIn(4) ? clients / 5 : clients
            configuration.limits.unauthenticatedRepliesPerSecond = random.oneIn(4) ? 0 : 2
            self.configuration = configuration
            var limits = AllocationRegistry.Limits()
            // One of the two in any case.
            limits.total = random.oneIn(3) ? clients / 2 : 0
            limits.perUser = limits.total > 0 && random.oneIn(2) ? 0 : 20
            limits.portRestSeconds = 120
            registryLimits = limits
            descriptorsPerShard = random.oneIn(4) ? clients / 5 : clients
        }

        var calls: [String] { Set(callByUsername.values).sorted() }

        /// Where peers see our relays.
        var ownAddresses: [IPAddress] { relays.map(\.external) }

        func external(_ bound: Endpoint) -> Endpoint {
            let relay = relays.first { $0.bound == bound.address }
            return Endpoint(address: relay?.external ?? bound.address, port: bound.port)
        }

        func bound(_ external: Endpoint) -> Endpoint {
            let relay = relays.first { $0.external == external.address }
            return Endpoint(address: relay?.bound ?? external.address, port: external.port)
        }

        /// Several clients behind one address, of both families.
        func clientEndpoint(_ index: Int) -> Endpoint {
            let host = UInt32(index / 4)
            let port = UInt16(30_000 + index % 4 * 7)
            if index % 5 == 0 {
                return Endpoint(address: IPAddress(ipv6High: 0x2001_0DB8_00FF_0000, low: UInt64(host)), port: port)
            }
            return Endpoint(address: IPAddress(ipv4: 0xC633_6400 + host), port: port)
        }
    }
}

import NetPrimitives
import PacketIO
import STUNServer
import TURNRelay

extension RelayConfiguration {
    /// Refuses a realm that would make the answers to forged requests too large.
    func checkRealm(_ nonceKey: NonceKey) throws(RelayStartFailure) {
        let bytes = credentials.realm.utf8.count
        let limit = Authenticator(credentials: credentials, nonceKey: nonceKey).longestRealm
        guard bytes <= limit else { throw .realmTooLong(bytes: bytes, limit: limit) }
    }

    /// The endpoints to bind on this machine, and what is missing.
    func resolveListeners() throws(RelayStartFailure) -> (endpoints: [Endpoint], warnings: [String]) {
        let interfaces: [NetworkInterfaces.Address]
        do throws(SystemError) {
            interfaces = try NetworkInterfaces.addresses()
        } catch {
            throw .system(error)
        }
        let listen = ListenAddresses(listenAddresses, interfaces: interfaces)
        guard !listen.addresses.isEmpty else { throw .nothingToListenOn }
        return (listen.addresses.map { Endpoint(address: $0, port: port) }, listen.warnings)
    }

    /// Where relays live, once it is certain that they can be bound there.
    func planRelays(of listeners: [IPAddress]) throws(RelayStartFailure) -> RelayPlan {
        try checkOnePerFamily(relayAddresses, setting: "TURN_RELAY_IP")
        try checkOnePerFamily(externalAddresses, setting: "TURN_EXTERNAL_IP")
        for address in relayAddresses {
            do throws(SystemError) {
                _ = try UDPSocket(boundTo: Endpoint(address: address, port: 0))
            } catch {
                throw error.isAddressUnavailable ? .relayAddressUnavailable(address) : .system(error)
            }
        }
        return RelayPlan(
            listeners: listeners,
            relay: relayAddresses,
            external: externalAddresses,
            defaultRouteSource: NetworkInterfaces.defaultRouteSource
        )
    }

    private func checkOnePerFamily(_ addresses: [IPAddress], setting: String) throws(RelayStartFailure) {
        for family in [IPAddress.Family.ipv4, .ipv6] where addresses.count(where: { $0.family == family }) > 1 {
            throw .severalAddresses(setting: setting, family: family)
        }
    }

    /// The registry that all shards share.
    var registry: AllocationRegistry {
        var limits = AllocationRegistry.Limits()
        limits.perUser = userQuota
        limits.total = totalQuota
        // As many as there can be listeners: whoever reached one is to get a relay on it.
        limits.addresses = NetworkInterfaces.limit
        return AllocationRegistry(ports: relayPorts, limits: limits)
    }

    /// What each of `shards` shards' cores is told.
    ///
    /// `endpoints` are what the listeners are bound to, `live` is what all shards tell each other of their relays.
    func core(
        _ plan: RelayPlan,
        shards: Int,
        listeningOn endpoints: [Endpoint],
        live: LiveRelayPorts
    ) -> TURNConfiguration {
        let anywhere = plan.byListener.first ?? RelayAddresses()
        let peers = PeerPolicy(
            allowed: allowedPeers,
            denied: deniedPeers,
            ownServices: plan.services(listeningOn: endpoints) + ownServices,
            ownRelays: plan.ownRelays
        )
        var core = TURNConfiguration(relays: anywhere, peers: peers)
        core.liveRelays = live
        for (index, relays) in plan.byListener.enumerated() {
            core.relaysByListener[Listener.identifier(index)] = relays
        }
        core.limits = limits
        // Whoever forges a source's address reaches all shards by changing the port, so each gets its part, rounded up:
        // zero would be no limit.
        let parts = UInt32(clamping: shards)
        let (part, rest) = limits.unauthenticatedRepliesPerSecond.quotientAndRemainder(dividingBy: parts)
        core.limits.unauthenticatedRepliesPerSecond = rest == 0 ? part : part + 1
        return core
    }
}

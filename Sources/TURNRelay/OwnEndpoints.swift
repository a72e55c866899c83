internal import NetPrimitives

/// What the packet path knows of this server itself: its services, which are nobody's peers, and its live relays, which
/// are its clients' peers when a call has a client of it at both ends.
struct OwnEndpoints: ~Copyable {
    private var services: OpenTable<Endpoint, UInt8>
    /// Kept for the sake of `live`, which points into it.
    private let relays: LiveRelayPorts
    private let live: LiveRelayPorts.Reader

    init(services endpoints: [Endpoint], relays: LiveRelayPorts, seed: UInt64) {
        services = OpenTable(minimumCapacity: endpoints.count, seed: seed)
        for endpoint in endpoints { services.insert(0, for: endpoint.asService) }
        self.relays = relays
        live = relays.reader
    }

    /// Where a payload for `peer` goes, whose address the policy gave `answer` for; nil if it goes nowhere.
    @inline(__always)
    borrowing func destination(_ peer: Endpoint, _ answer: PeerAnswer) -> Endpoint? {
        answer == .allowed ? peer : scrutinised(peer, answer)
    }

    /// Whom a client takes the sender at `source` for.
    @inline(__always)
    borrowing func peer(_ source: Endpoint) -> Endpoint {
        live.translates ? live.seen(source) : source
    }

    @inline(never)
    private borrowing func scrutinised(_ peer: Endpoint, _ answer: PeerAnswer) -> Endpoint? {
        switch answer {
        case .denied: nil
        case .allowed: peer
        case .allowedExceptServices: isService(peer) ? nil : peer
        case .ownRelay: live.bound(peer)
        case .ownRelayOrOther: live.bound(peer) ?? (isService(peer) ? nil : peer)
        }
    }

    private borrowing func isService(_ peer: Endpoint) -> Bool {
        let forms = peer.address.reachableForms
        for index in 0..<forms.count
        where services.contains(Endpoint(address: forms[index], port: peer.port).asService) {
            return true
        }
        return false
    }
}

extension Endpoint {
    /// The endpoint as services are compared. 127.0.0.0/8 counts as one address: what listens on all addresses listens
    /// on each of these, and nobody needs the port of a service on another one.
    var asService: Endpoint {
        guard address.family == .ipv4, address.isLoopback else { return self }
        return Endpoint(address: IPAddress(ipv4: 0x7F00_0001), port: port)
    }
}

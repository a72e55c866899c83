public import NetPrimitives

/// What RFC 8656 makes server-wide: the relay ports and the quotas of all shards together.
///
/// A value without lock or clock; a shell keeps one behind a mutex and touches it only when allocations open and close.
public struct AllocationRegistry: Sendable {
    /// The server-wide limits.
    public struct Limits: Sendable, Hashable {
        /// Allocations of one user; zero means no limit.
        public var perUser = 100
        /// Allocations of the server; zero means no limit.
        public var total = 0
        /// Ports drawn for one request before it is answered 508.
        public var portAttempts = 64
        /// How long a freed port stays unused while others are free, in seconds.
        public var portRestSeconds: UInt32 = 120
        /// Local addresses that relay sockets may be bound to; a request for one more is out of capacity.
        public var addresses = 64

        /// The defaults.
        public init() {}
    }

    private let ports: ClosedRange<UInt16>
    private let limits: Limits
    private var poolByAddress: [IPAddress: PortPool] = [:]
    private var countByUser: [String: Int] = [:]
    private var searches: UInt64 = 0

    /// Number of leases that are out.
    public private(set) var leaseCount = 0

    /// A registry of the relay ports `ports` on every address that is asked for.
    public init(ports: ClosedRange<UInt16>, limits: Limits = Limits()) {
        precondition(ports.lowerBound > 0, "port zero names no port")
        precondition(limits.portAttempts > 0, "a request needs an attempt")
        self.ports = ports
        self.limits = limits
    }

    /// Charges `user` and draws a port that nobody holds.
    public mutating func lease(
        _ user: String,
        on address: IPAddress,
        parity: PortParity,
        now: Instant,
        random: inout some RandomNumberGenerator
    ) -> LeaseAnswer {
        if limits.total > 0, leaseCount >= limits.total { return .quota }
        if limits.perUser > 0, countByUser[user, default: 0] >= limits.perUser { return .quota }
        guard poolByAddress[address] != nil || poolByAddress.count < limits.addresses else { return .capacity }
        searches &+= 1
        let drawn = poolByAddress[address, default: PortPool(ports)].draw(
            parity,
            search: searches,
            now: now,
            random: &random
        )
        guard let port = drawn else { return .capacity }
        leaseCount += 1
        countByUser[user, default: 0] += 1
        return .leased(
            RelayLease(
                endpoint: Endpoint(address: address, port: port),
                user: user,
                parity: parity,
                attempts: 1,
                search: searches
            )
        )
    }

    /// Ends a lease whose port another process has, and draws the next one for the same request.
    ///
    /// Such a port rests like a freed one: it is tried again when its rest is over or nothing else is left. So a range
    /// of which most is taken is learned within a few requests.
    public mutating func retry(
        _ lease: RelayLease,
        now: Instant,
        random: inout some RandomNumberGenerator
    ) -> LeaseAnswer {
        giveBack(lease, search: lease.search, now: now)
        guard lease.attempts < limits.portAttempts else {
            discharge(lease.user)
            return .capacity
        }
        let drawn = poolByAddress[lease.endpoint.address]?.draw(
            lease.parity,
            search: lease.search,
            now: now,
            random: &random
        )
        guard let port = drawn else {
            discharge(lease.user)
            return .capacity
        }
        return .leased(
            RelayLease(
                endpoint: Endpoint(address: lease.endpoint.address, port: port),
                user: lease.user,
                parity: lease.parity,
                attempts: lease.attempts + 1,
                search: lease.search
            )
        )
    }

    /// Ends a lease whose socket was closed, or could not be opened for want of descriptors or memory.
    public mutating func release(_ lease: RelayLease, now: Instant) {
        giveBack(lease, search: 0, now: now)
        discharge(lease.user)
    }

    /// Whether `endpoint` is one of this server's relay sockets (or about to be).
    public func isLive(_ endpoint: Endpoint) -> Bool {
        poolByAddress[endpoint.address]?.isHeld(endpoint.port) ?? false
    }

    /// Number of leases charged to `user`.
    public func leaseCount(of user: String) -> Int { countByUser[user, default: 0] }

    private mutating func giveBack(_ lease: RelayLease, search: UInt64, now: Instant) {
        poolByAddress[lease.endpoint.address]?.giveBack(
            lease.endpoint.port,
            search: search,
            restedAt: now.advanced(bySeconds: limits.portRestSeconds)
        )
    }

    private mutating func discharge(_ user: String) {
        guard let count = countByUser[user], leaseCount > 0 else {
            preconditionFailure("a lease was ended twice")
        }
        leaseCount -= 1
        countByUser[user] = count > 1 ? count - 1 : nil
    }
}

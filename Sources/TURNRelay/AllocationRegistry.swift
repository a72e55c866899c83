public import NetPrimitives
internal import STUNCore

/// What RFC 8656 makes server-wide: the relay ports, the reservations and the quotas of all shards together.
///
/// A user is charged one for every relayed address and one for every reservation: a dual allocation counts twice, and a
/// pair of ports too. So a quota bounds what is really held.
///
/// A value without lock or clock; a shell keeps one behind a mutex and touches it only when allocations open and close.
public struct AllocationRegistry: Sendable {
    /// The server-wide limits.
    public struct Limits: Sendable, Hashable {
        /// Relayed addresses and reservations of one user; zero means no limit.
        public var perUser = 100
        /// Relayed addresses and reservations of the server; zero means no limit.
        public var total = 0
        /// Ports, or pairs, drawn for one request before it is answered 508.
        public var portAttempts = 64
        /// How long a freed port stays unused while others are free, in seconds.
        public var portRestSeconds: UInt32 = 120
        /// Local addresses that relay sockets may be bound to; a request for one more is out of capacity.
        public var addresses = 64
        /// Reservations at a time; a request for one more is out of capacity.
        public var reservations = 1024
        /// How long a port is kept for whoever has its token, in seconds (RFC 8656 §7.2: at least 30).
        public var reservationSeconds: UInt32 = 30

        /// The defaults.
        public init() {}
    }

    private let ports: ClosedRange<UInt16>
    private let limits: Limits
    private var poolByAddress: [IPAddress: PortPool] = [:]
    private var countByUser: [UserName: Int] = [:]
    private var reservations = ReservationBook()
    private var searches: UInt64 = 0

    /// Number of leases that are charged.
    public private(set) var leaseCount = 0

    /// Number of reservations; ended ones are among them until a request comes.
    public var reservationCount: Int { reservations.count }

    /// A registry of the relay ports `ports` on every address that is asked for.
    public init(ports: ClosedRange<UInt16>, limits: Limits = Limits()) {
        precondition(ports.lowerBound > 0, "port zero names no port")
        precondition(limits.portAttempts > 0, "a request needs an attempt")
        self.ports = ports
        self.limits = limits
    }

    /// Charges `user` and draws a port that nobody holds, or redeems the one that is kept for that user.
    public mutating func lease(
        _ user: String,
        _ wish: PortWish,
        now: Instant,
        random: inout some RandomNumberGenerator
    ) -> LeaseAnswer {
        endReservations(now)
        searches &+= 1
        let user = nameOnRecord(user)
        guard let address = wish.address else { return redeem(wish, for: user) }
        let charges = wish == .evenAndNext(address) ? 2 : 1
        if limits.total > 0, leaseCount + reservations.count + charges > limits.total { return .quota }
        if limits.perUser > 0, leaseCount(of: user) + charges > limits.perUser { return .quota }
        guard poolByAddress[address] != nil || poolByAddress.count < limits.addresses else { return .capacity }
        if poolByAddress[address] == nil { poolByAddress[address] = PortPool(ports) }
        let lease = draw(
            RelayLease.Draw(wish),
            on: address,
            for: user,
            attempts: 1,
            search: searches,
            now: now,
            random: &random
        )
        guard let lease else { return .capacity }
        leaseCount += 1
        countByUser[UserName(user), default: 0] += 1
        return .leased(lease)
    }

    /// Ends a lease whose port, or the one reserved beside it, another process has, and draws the next one for the same
    /// request. There is no other for a reservation that was to be redeemed.
    ///
    /// Such a port rests like a freed one: it is tried again when its rest is over or nothing else is left. So a range
    /// of which most is taken is learned within a few requests.
    public mutating func retry(
        _ lease: RelayLease,
        now: Instant,
        random: inout some RandomNumberGenerator
    ) -> LeaseAnswer {
        cancelReservation(of: lease, search: lease.search, now: now)
        giveBack(lease.endpoint, search: lease.search, now: now)
        if Int(lease.attempts) < min(limits.portAttempts, Int(UInt16.max)),
            let next = draw(
                lease.draw,
                on: lease.endpoint.address,
                for: lease.user,
                attempts: lease.attempts + 1,
                search: lease.search,
                now: now,
                random: &random
            )
        {
            return .leased(next)
        }
        discharge(lease)
        return .capacity
    }

    /// Ends a lease whose socket could not be opened for want of descriptors or memory, and the reservation that nobody
    /// was told of.
    public mutating func abandon(_ lease: RelayLease, now: Instant) {
        cancelReservation(of: lease, search: 0, now: now)
        release(lease, now: now)
    }

    /// Ends a lease whose allocation is gone and whose socket is closed. What is reserved beside it stays so.
    public mutating func release(_ lease: RelayLease, now: Instant) {
        discharge(lease)
        vacate(lease, now: now)
    }

    /// The first half of `release`: the allocation is gone, and its user may have another.
    public mutating func discharge(_ lease: RelayLease) {
        precondition(leaseCount > 0, "a lease was ended twice")
        leaseCount -= 1
        discharge(lease.user)
    }

    /// The second half of `release`: the socket is closed, and its port may be another's when it has rested.
    public mutating func vacate(_ lease: RelayLease, now: Instant) {
        giveBack(lease.endpoint, search: 0, now: now)
    }

    /// What `user` is charged for: leases and reservations.
    public func leaseCount(of user: String) -> Int { countByUser[UserName(user), default: 0] }
}

// MARK: Drawing and giving back

extension AllocationRegistry {
    /// The name as it stands in the books already, if it does: so that all leases of a user share one copy.
    private func nameOnRecord(_ user: String) -> String {
        countByUser.index(forKey: UserName(user)).map { countByUser[$0].key.text } ?? user
    }

    private mutating func draw(
        _ draw: RelayLease.Draw,
        on address: IPAddress,
        for user: String,
        attempts: UInt16,
        search: UInt64,
        now: Instant,
        random: inout some RandomNumberGenerator
    ) -> RelayLease? {
        var token: ReservationToken?
        let drawn: UInt16?
        switch draw {
        case .any:
            drawn = poolByAddress[address]?.draw(isEven: false, search: search, now: now, random: &random)
        case .even:
            drawn = poolByAddress[address]?.draw(isEven: true, search: search, now: now, random: &random)
        case .evenAndNext:
            guard reservations.count < limits.reservations else { return nil }
            drawn = poolByAddress[address]?.drawPair(search: search, now: now, random: &random)
            if let drawn {
                let next = Endpoint(address: address, port: drawn + 1)
                token = reserve(next, for: user, now: now, random: &random)
            }
        case .nothing:
            return nil
        }
        return drawn.map { port in
            RelayLease(
                user: user,
                endpoint: Endpoint(address: address, port: port),
                draw: draw,
                attempts: attempts,
                search: search,
                reservation: token
            )
        }
    }

    private mutating func reserve(
        _ endpoint: Endpoint,
        for user: String,
        now: Instant,
        random: inout some RandomNumberGenerator
    ) -> ReservationToken {
        var token = ReservationToken(bits: random.next())
        while reservations.contains(token) { token = ReservationToken(bits: random.next()) }
        let until = now.advanced(bySeconds: limits.reservationSeconds)
        reservations.insert(ReservationBook.Reservation(endpoint: endpoint, user: user, until: until), under: token)
        countByUser[UserName(user), default: 0] += 1
        return token
    }

    /// The reservation's charge becomes the lease's. A token serves nobody but whom it was given to.
    private mutating func redeem(_ wish: PortWish, for user: String) -> LeaseAnswer {
        guard case .reserved(let token) = wish, let reservation = reservations.remove(token, of: user) else {
            return .capacity
        }
        poolByAddress[reservation.endpoint.address]?.redeem(reservation.endpoint.port)
        leaseCount += 1
        return .leased(
            RelayLease(
                user: user,
                endpoint: reservation.endpoint,
                draw: .nothing,
                attempts: 1,
                search: searches,
                reservation: nil
            )
        )
    }

    private mutating func cancelReservation(of lease: RelayLease, search: UInt64, now: Instant) {
        // Whoever was told of the token may have redeemed it, or its time is over.
        guard let token = lease.reservation, let reservation = reservations.remove(token, of: lease.user) else {
            return
        }
        giveBack(reservation.endpoint, search: search, now: now)
        discharge(reservation.user)
    }

    private mutating func endReservations(_ now: Instant) {
        for reservation in reservations.removeEnded(now) {
            giveBack(reservation.endpoint, search: 0, now: now)
            discharge(reservation.user)
        }
    }

    private mutating func giveBack(_ endpoint: Endpoint, search: UInt64, now: Instant) {
        poolByAddress[endpoint.address]?.giveBack(
            endpoint.port,
            search: search,
            restedAt: now.advanced(bySeconds: limits.portRestSeconds)
        )
    }

    private mutating func discharge(_ user: String) {
        let name = UserName(user)
        guard let count = countByUser[name] else { preconditionFailure("a charge was ended twice") }
        countByUser[name] = count > 1 ? count - 1 : nil
    }
}

extension RelayLease.Draw {
    fileprivate init(_ wish: PortWish) {
        self =
            switch wish {
            case .any: .any
            case .even: .even
            case .evenAndNext: .evenAndNext
            case .reserved: .nothing
            }
    }
}

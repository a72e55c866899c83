internal import NetPrimitives
internal import STUNCore
internal import STUNServer

/// The authoritative record of one allocation: everything that RFC 8656 §6 says about it.
struct Allocation: Sendable {
    /// How far it has come.
    enum Phase: Hashable, Sendable, BitwiseCopyable {
        /// A relay socket is being opened, after which another may have to be; nothing is promised yet.
        case opening(PortWish, then: PortWish?)
        /// All sockets that could be had are bound; clients were told of `relays`.
        case open
    }

    let id: AllocationID
    /// The Allocate request: its transaction tells a retransmission from another request.
    let origin: RequestOrigin
    /// Who made it; its key verifies later requests, whatever became of the credential.
    let owner: AuthenticatedUser
    /// What the answer to the Allocate request granted.
    let grantedSeconds: UInt32

    var phase: Phase
    /// The relayed addresses: two of a dual allocation, of which a Refresh can end one.
    var relays = OpenRelays()
    /// Why a family that was asked for is missing.
    var addressError: AddressErrorCode?
    /// The token of the port that is kept beside the relayed one.
    var reservation: ReservationToken?
    /// When all of it is over: the later end of the relayed addresses.
    private(set) var expires: Instant
    var permissions: [Permission] = []
    var channels: [ChannelBinding] = []
    /// How many ICMP errors the client may still be told of; nil before the first.
    var icmpBudget: TokenBucket?

    init(
        id: AllocationID,
        origin: RequestOrigin,
        owner: AuthenticatedUser,
        opening plan: RelayOpeningPlan,
        lifetimeSeconds: UInt32,
        now: Instant
    ) {
        self.id = id
        self.origin = origin
        self.owner = owner
        phase = .opening(plan.first, then: plan.second)
        addressError = plan.addressError
        grantedSeconds = lifetimeSeconds
        expires = now.advanced(bySeconds: lifetimeSeconds)
    }

    var flow: Flow { origin.flow }

    /// Sets the end of one relayed address, or of all, and with it the end of the whole.
    mutating func live(until end: Instant, _ family: IPAddress.Family? = nil) {
        for other in [IPAddress.Family.ipv4, .ipv6] where family == nil || family == other {
            relays[other]?.expires = end
        }
        expires = relays.lastEnd ?? end
    }

    /// Ends one half of two, with the permissions and channels of its peers; the whole ends with the other from now on.
    mutating func end(_ family: IPAddress.Family) {
        relays[family] = nil
        permissions.removeAll { $0.address.family == family }
        channels.removeAll { $0.peer.address.family == family }
        guard let end = relays.lastEnd else { preconditionFailure("an allocation without a relay") }
        expires = end
    }

    var isOpen: Bool { phase == .open }

    /// The relay socket for peers of `family`; nil if there is none, or none yet.
    func relay(_ family: IPAddress.Family) -> SocketID? { isOpen ? relays[family]?.socket : nil }

    /// The permission for `address`, expired or not.
    func permission(_ address: IPAddress) -> Permission? {
        permissions.first { $0.address == address }
    }

    /// Installs or renews a permission. The caller has made sure that there is room.
    mutating func permit(_ permission: Permission) {
        if let index = permissions.firstIndex(where: { $0.address == permission.address }) {
            permissions[index] = permission
        } else {
            permissions.append(permission)
        }
    }

    /// Binds or renews a channel. The caller has made sure that neither number nor peer is bound otherwise.
    mutating func bind(_ channel: ChannelBinding) {
        if let index = channels.firstIndex(where: { $0.number == channel.number }) {
            channels[index] = channel
        } else {
            channels.append(channel)
        }
    }
}

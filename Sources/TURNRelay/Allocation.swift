internal import NetPrimitives
internal import STUNCore
internal import STUNServer

/// The authoritative record of one allocation: everything that RFC 8656 §6 says about it.
///
/// There may be very many, so what only few have, or have for a moment, is kept elsewhere: what an Allocate request still
/// waits for in `AllocationTable.openings`, the ICMP budget behind a reference.
struct Allocation: Sendable {
    let id: AllocationID
    let flow: Flow
    /// Who made it; its keys verify later requests, whatever became of the credential.
    let owner: AuthenticatedUser
    /// The answer to the Allocate request, as far as it is known.
    var answer: AllocateAnswer
    /// Whether all sockets that could be had are bound, and clients were told of `relays`; nothing is promised before.
    private(set) var isOpen = false
    /// The relayed addresses: two of a dual allocation, of which a Refresh can end one.
    var relays = OpenRelays()
    /// When all of it is over: the later end of the relayed addresses.
    private(set) var expires: Instant
    var permissions = ShortList<Permission>()
    var channels = ShortList<ChannelBinding>()
    /// How many ICMP errors the client may still be told of.
    var icmpBudget = ICMPBudget.untouched

    init(
        id: AllocationID,
        origin: RequestOrigin,
        owner: AuthenticatedUser,
        lifetimeSeconds: UInt32,
        now: Instant
    ) {
        self.id = id
        flow = origin.flow
        self.owner = owner
        answer = AllocateAnswer(transactionID: origin.transactionID, grantedSeconds: lifetimeSeconds)
        expires = now.advanced(bySeconds: lifetimeSeconds)
    }

    /// All sockets that could be had are bound, and the lifetime that was granted begins.
    mutating func open(now: Instant) {
        isOpen = true
        live(until: now.advanced(bySeconds: answer.grantedSeconds))
    }

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

    /// Whether it, one of its relayed addresses, a permission or a channel has ended.
    func hasEnded(_ now: Instant) -> Bool {
        expires <= now || relays.hasEnded(now) || permissions.contains { $0.hasEnded(now) }
            || channels.contains { $0.hasEnded(now) }
    }

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

internal import NetPrimitives
internal import STUNCore

/// The authoritative record of one allocation: everything that RFC 8656 §5 says about it.
struct Allocation: Sendable {
    /// How far it has come.
    enum Phase: Hashable, Sendable, BitwiseCopyable {
        /// The relay socket is being opened; nothing is promised yet.
        case pending
        /// The socket is bound; clients were told `relayed`.
        case open(relay: SocketID, relayed: Endpoint)
    }

    let id: AllocationID
    let flow: Flow
    let owner: AllocationOwner
    /// The Allocate request's, by which its retransmission is known.
    let transactionID: TransactionID
    let family: IPAddress.Family
    let relayAddress: RelayAddress

    var phase = Phase.pending
    /// What the last answer granted.
    var lifetimeSeconds: UInt32
    var expires: Instant
    var permissions: [Permission] = []
    var channels: [ChannelBinding] = []

    init(
        id: AllocationID,
        flow: Flow,
        owner: AllocationOwner,
        transactionID: TransactionID,
        relayAddress: RelayAddress,
        lifetimeSeconds: UInt32,
        now: Instant
    ) {
        self.id = id
        self.flow = flow
        self.owner = owner
        self.transactionID = transactionID
        self.relayAddress = relayAddress
        self.lifetimeSeconds = lifetimeSeconds
        family = relayAddress.bound.family
        expires = now.advanced(bySeconds: lifetimeSeconds)
    }

    /// The relay socket, nil while it is being opened.
    var relay: SocketID? {
        switch phase {
        case .pending: nil
        case .open(let relay, _): relay
        }
    }

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

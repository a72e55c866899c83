internal import NetPrimitives
internal import STUNServer

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
    /// The Allocate request: its transaction tells a retransmission from another request.
    let origin: RequestOrigin
    /// Who made it; its key verifies later requests, whatever became of the credential.
    let owner: AuthenticatedUser
    let relayAddress: RelayAddress
    /// What the answer to the Allocate request granted.
    let grantedSeconds: UInt32

    var phase = Phase.pending
    var expires: Instant
    var permissions: [Permission] = []
    var channels: [ChannelBinding] = []

    init(
        id: AllocationID,
        origin: RequestOrigin,
        owner: AuthenticatedUser,
        relayAddress: RelayAddress,
        lifetimeSeconds: UInt32,
        now: Instant
    ) {
        self.id = id
        self.origin = origin
        self.owner = owner
        self.relayAddress = relayAddress
        grantedSeconds = lifetimeSeconds
        expires = now.advanced(bySeconds: lifetimeSeconds)
    }

    var flow: Flow { origin.flow }
    var family: IPAddress.Family { relayAddress.bound.family }

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

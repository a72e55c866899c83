import NetPrimitives
import RelayRuntime
import STUNServer
import ServerConfiguration
import TURNRelay

extension RelayConfiguration {
    /// The relay's configuration from the server's.
    init(_ turn: TURNSettings, secrets: [SharedSecret]) {
        let users = Dictionary(turn.staticUsers.map { ($0.name, $0.password) }, uniquingKeysWith: { first, _ in first })
        self.init(
            listenAddresses: turn.listen,
            credentials: CredentialBook(realm: turn.realm, staticUsers: users, sharedSecrets: secrets)
        )
        allowedPeers = turn.allowedPeers
        if let denied = turn.deniedPeers { deniedPeers = denied }
        port = turn.port
        relayAddresses = turn.relayAddresses
        externalAddresses = turn.externalAddresses
        relayPorts = turn.relayPorts
        workers = turn.workers
        limits.unauthenticatedRepliesPerSecond = UInt32(clamping: turn.unauthenticatedReplies)
        userQuota = turn.userQuota
        totalQuota = turn.totalQuota
        bandwidth.perAllocation = turn.maxBytesPerSecond
        bandwidth.total = turn.totalBytesPerSecond
    }
}

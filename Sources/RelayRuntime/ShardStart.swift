import Locking
import PacketIO
import STUNServer
import TURNRelay

/// What a shard's thread is born with.
struct ShardStart: Sendable {
    let index: Int
    let seat: Seat<Listener>
    /// Filled for one shard, which hears ICMP errors for all.
    let icmpSeat: Seat<ICMPSource>
    let configuration: TURNConfiguration
    let credentials: CredentialBook
    /// The same for all shards, so that a nonce outlives a change of shard.
    let nonceKey: NonceKey
    let registry: SharedRegistry
    let bandwidth: BandwidthLimits
    /// The server's part of `bandwidth`, the same for all shards; nil if it has no limit.
    let budget: BandwidthBudget?
    let directory: RelayDirectory
    /// Of all shards, by index.
    let mailboxes: [Mailbox]
    /// Calls that were over before the start.
    let endedCalls: [EndedCall]
    let counters: ShardCounters
    /// Datagrams that are collected before they are sent.
    let batchCapacity: Int
    let notify: @Sendable (RelayNotice) -> Void

    /// Relay sockets the shard can have, two an allocation, some room for those that are being closed included.
    var relayLimit: Int { 2 * configuration.limits.allocationsPerShard + 1024 }

    /// The whole life of a shard, on its own thread. Answers why it ended, if nobody asked it to.
    func serve() -> RelayFailure? {
        do throws(SystemError) {
            var shard = try RelayShard.make(self)
            try shard.run()
            return nil
        } catch {
            return RelayFailure(description: "shard \(index) ended: \(error)")
        }
    }

    func makeTURNShard(random: inout some RandomNumberGenerator) -> TURNShard {
        TURNShard(
            configuration: configuration,
            credentials: credentials,
            nonceKey: nonceKey,
            tableSeed: random.next()
        )
    }
}

/// Hands a shard its sockets. Whoever takes them owns them, so that they are closed with the shard and not when the last
/// trace of its start is gone.
final class Seat<Occupant: Sendable>: Sendable {
    private let occupants: Locked<[Occupant]>

    init(_ occupants: [Occupant]) { self.occupants = Locked(occupants) }

    /// The sockets, the first time; none after that.
    func take() -> [Occupant] {
        occupants.withLock { occupants in
            defer { occupants = [] }
            return occupants
        }
    }
}

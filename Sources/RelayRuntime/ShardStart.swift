import PacketIO
import STUNServer
import Synchronization
import TURNRelay

/// What a shard's thread is born with.
struct ShardStart: Sendable {
    let index: Int
    let seat: ListenerSeat
    let configuration: TURNConfiguration
    let credentials: CredentialBook
    /// The same for all shards, so that a nonce outlives a change of shard.
    let nonceKey: NonceKey
    let registry: SharedRegistry
    let mailbox: Mailbox
    let counters: ShardCounters
    let notify: @Sendable (RelayNotice) -> Void

    /// Relay sockets the shard can have, some room for those that are being closed included.
    var relayLimit: Int { configuration.limits.allocationsPerShard + 1024 }

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

/// Hands a shard its listeners. Whoever takes them owns them, so that they are closed with the shard and not when the
/// last trace of its start is gone.
final class ListenerSeat: Sendable {
    private let listeners: Mutex<[Listener]>

    init(_ listeners: [Listener]) { self.listeners = Mutex(listeners) }

    /// The listeners, the first time; none after that.
    func take() -> [Listener] {
        listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
    }
}

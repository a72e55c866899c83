import NetPrimitives
import PacketIO

/// A listening socket of one shard.
final class Listener: Sendable {
    let socket: UDPSocket

    private init(_ socket: consuming UDPSocket) { self.socket = socket }

    /// Bytes the kernel may hold for a listener, which all clients of a shard share. Cut to the system's limit.
    static let bufferBytes: Int32 = 4 << 20
    /// Datagrams thrown away at the start, at most, for each listener.
    private static let discardLimit = 100_000

    /// Binds every endpoint once for each shard.
    ///
    /// The first socket of an address is bound alone, which fails if anybody has the address, and only then opened to
    /// its siblings; sharing from the start would silently join another instance of this server. When all are bound
    /// they are emptied, since the kernel's choice among siblings moved with each that joined.
    ///
    /// - Returns: by shard, the listeners in the order of `endpoints`.
    static func bindAll(_ endpoints: [Endpoint], shards: Int) throws(RelayStartFailure) -> [[Listener]] {
        var byShard = [[Listener]](repeating: [], count: shards)
        var options = UDPSocketOptions(
            receiveBufferBytes: bufferBytes,
            sendBufferBytes: bufferBytes,
            joinsDatagrams: true
        )
        for endpoint in endpoints {
            do throws(SystemError) {
                options.sharesPort = false
                let first = Listener(try UDPSocket(boundTo: endpoint, options: options))
                byShard[0].append(first)
                guard shards > 1 else { continue }
                try first.socket.openToSiblings()
                options.sharesPort = true
                for shard in 1..<shards {
                    byShard[shard].append(Listener(try UDPSocket(boundTo: first.socket.endpoint, options: options)))
                }
            } catch {
                throw RelayStartFailure(error, binding: endpoint)
            }
        }
        for listener in byShard.joined() {
            listener.socket.discardWaiting(limit: discardLimit)
        }
        return byShard
    }
}

extension Listener {
    /// In words for the operator, that listeners may hold less than they ask for; nothing if they may not.
    static func warnings(_ byShard: [[Listener]]) -> [String] {
        // All ask for the same and get the same, so one speaks for all.
        byShard.first?.first?.socket.receiveBufferBytes.map { warnings(granted: $0) } ?? []
    }

    static func warnings(granted: Int32) -> [String] {
        guard granted < bufferBytes else { return [] }
        return [
            "the system lets a listener hold \(granted >> 10) KiB unread where \(bufferBytes >> 10) are asked for, so bursts "
                + "may be lost; `sysctl -w net.core.rmem_max=\(bufferBytes)` lets it"
        ]
    }
}

extension RelayStartFailure {
    /// What a listener's failure to bind means to the operator.
    init(_ error: SystemError, binding endpoint: Endpoint) {
        self =
            if error.isAddressInUse {
                .addressInUse(endpoint)
            } else if error.isAddressUnavailable {
                .addressUnavailable(endpoint)
            } else if error.isForbidden {
                .portForbidden(endpoint)
            } else {
                .system(error)
            }
    }
}

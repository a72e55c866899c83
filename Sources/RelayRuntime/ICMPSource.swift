import NetPrimitives
import PacketIO

/// Where one shard hears the ICMP errors of a family for all shards.
final class ICMPSource: Sendable {
    let socket: ICMPSocket

    private init(_ socket: consuming ICMPSocket) { self.socket = socket }

    /// Bytes the kernel may hold unread: some hundred errors. A flood of them is lost there, where it costs nothing.
    private static let bufferBytes: Int32 = 256 * 1024

    /// Opens a source for each family.
    ///
    /// - Returns: those that could be opened, and in words for the operator what is lost without the others.
    static func open(_ families: [IPAddress.Family]) -> (sources: [ICMPSource], warnings: [String]) {
        var sources: [ICMPSource] = []
        var warnings: [String] = []
        for family in families {
            do throws(SystemError) {
                sources.append(ICMPSource(try ICMPSocket(family, receiveBufferBytes: bufferBytes)))
            } catch {
                // The same privilege is missing for both families; it is said once.
                let warning = error.isForbidden ? missingPrivilege : "ICMP errors (\(family)) are not heard: \(error)"
                if !warnings.contains(warning) { warnings.append(warning) }
            }
        }
        return (sources, warnings)
    }

    static let missingPrivilege =
        "no CAP_NET_RAW: TURN clients are not told of ICMP errors (peer unreachable, datagram too large for the path); "
        + "`setcap cap_net_raw+ep` on the binary or AmbientCapabilities=CAP_NET_RAW in its systemd unit gives it"

    /// The identifier of the `index`th source in its shard's poller.
    static func identifier(_ index: Int) -> SocketID {
        SocketID(slot: firstSlot + UInt32(truncatingIfNeeded: index), generation: 0)
    }

    /// Whether a poller's identifier is that of a source. Relay sockets' slots lie far below.
    static func isIdentifier(_ socket: SocketID) -> Bool { socket.slot >= firstSlot && socket != RelayShard.bell }

    private static let firstSlot = UInt32.max - 2
}

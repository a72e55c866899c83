import Locking
import Redis
import SocketIO

/// Nodes tell each other of themselves by keys that run out: who does not say so again is gone.
extension RedisCluster {
    /// How long a node is believed to be there.
    private static let lifetimeMilliseconds = "6000"
    private static let index = "callrelay:nodes"

    private static func key(_ id: String) -> String { "callrelay:node:\(id)" }

    /// Says what this node is, and hears what the others are.
    public func exchange(_ own: ClusterNode) async {
        do throws(RedisFailure) {
            guard let link = link.withLock({ $0 }) else { return }
            _ = try await link.run(["SET", Self.key(own.id), own.json.text, "PX", Self.lifetimeMilliseconds])
            _ = try await link.run(["SADD", Self.index, own.id])
            guard case .array(let members) = try await link.run(["SMEMBERS", Self.index]) else { return }
            let ids = members.compactMap(\.text).filter { $0 != own.id }
            guard !ids.isEmpty, case .array(let values) = try await link.run(["MGET"] + ids.map(Self.key)) else {
                return nodes.withLock { $0 = [] }
            }
            let found = values.compactMap { $0.text.flatMap(ClusterNode.init) }
            nodes.withLock { $0 = found }
            let gone = zip(ids, values).filter { $0.1 == .null }.map(\.0)
            if !gone.isEmpty { _ = try await link.run(["SREM", Self.index] + gone) }
        } catch {
            // Nobody knows who else is there.
            nodes.withLock { $0 = [] }
        }
    }

    /// Says that this node is gone.
    public func leave(_ id: String) async {
        guard let link = link.withLock({ $0 }) else { return }
        // Without it the key runs out by itself.
        _ = try? await link.run(["DEL", Self.key(id)])
        _ = try? await link.run(["SREM", Self.index, id])
    }

    /// The other nodes, as they were heard of last.
    public var others: [ClusterNode] { nodes.withLock { $0 } }
}

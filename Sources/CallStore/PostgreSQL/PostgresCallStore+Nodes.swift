import Postgres

extension PostgresCallStore {
    /// Says that a node is there, and finds out which are not.
    public func keep(node: String, silence: Int64) async throws(StoreFailure) -> NodeCensus {
        let commands = [
            PostgresCommand(.enterNode) { $0.append(node) }, PostgresCommand(.keepNode) { $0.append(node) },
            PostgresCommand(.findLostNodes) { $0.append(silence) },
        ]
        return try await write("keep node", lock: .node(node), commands) { results in
            let lost = (0..<results[2].rowCount).compactMap { results[2].text($0, 0) }
            return .success(NodeCensus(isKnown: results[0].rowCount == 0, lost: lost))
        }
    }

    /// Sockets in calls whose node is lost, or not known.
    public func lostSessions(silence: Int64, limit: Int) async throws(StoreFailure) -> [NodeSession] {
        let command = PostgresCommand(.findLostSessions) {
            $0.append(silence)
            $0.append(Int64(limit))
        }
        return try await read(command) { rows throws(StoreFailure) in try rows.sessions() }
    }

    /// Forgets a node.
    public func forget(node: String) async throws(StoreFailure) {
        let command = PostgresCommand(.forgetNode) { $0.append(node) }
        try await write("forget node", lock: .node(node), [command]) { _ in .success(()) }
    }
}

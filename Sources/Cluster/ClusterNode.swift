public import SocketIO

/// A server as the others know it.
public struct ClusterNode: Hashable, Sendable {
    /// Its name, which no other has.
    public let id: String
    /// Where its HTTP side listens, for people.
    public let address: String
    /// Where it stands, in the operator's words; empty if nobody said.
    public let region: String
    /// Its `stun:` URIs.
    public let stun: [String]
    /// Its `turn:` URIs; none if it relays nothing.
    public let turn: [String]
    /// Its relay allocations.
    public let load: Int
    /// Whether it is stopping.
    public let isDraining: Bool
    /// Whether it reaches the store.
    public let isReady: Bool

    /// A server that says so of itself.
    public init(
        id: String,
        address: String,
        region: String,
        stun: [String],
        turn: [String],
        load: Int,
        isDraining: Bool,
        isReady: Bool
    ) {
        self.id = id
        self.address = address
        self.region = region
        self.stun = stun
        self.turn = turn
        self.load = load
        self.isDraining = isDraining
        self.isReady = isReady
    }

    /// `{id, address, region, stun, turn, load, draining, ready}`.
    public var json: JSONText {
        .object([
            ("id", .string(id)), ("address", .string(address)), ("region", .string(region)),
            ("stun", .array(stun.map(JSONText.string))), ("turn", .array(turn.map(JSONText.string))),
            ("load", .integer(load)), ("draining", .boolean(isDraining)),
            ("ready", .boolean(isReady)),
        ])
    }

    /// The same, as far as the store is reached.
    public func ready(_ isReady: Bool) -> ClusterNode {
        ClusterNode(
            id: id,
            address: address,
            region: region,
            stun: stun,
            turn: turn,
            load: load,
            isDraining: isDraining,
            isReady: isReady
        )
    }

    /// URIs of one node that are looked at.
    private static let uriLimit = 16

    /// Reads what `json` wrote; nil if it was somebody else.
    public init?(_ text: String) {
        guard let json = try? JSONText(validating: text), let id = json["id"]?.stringValue,
            let address = json["address"]?.stringValue, let region = json["region"]?.stringValue,
            let stun = Self.uris(json["stun"]), let turn = Self.uris(json["turn"]),
            let load = json["load"]?.integerValue, let isDraining = json["draining"]?.booleanValue,
            let isReady = json["ready"]?.booleanValue
        else { return nil }
        self.init(
            id: id,
            address: address,
            region: region,
            stun: stun,
            turn: turn,
            load: load,
            isDraining: isDraining,
            isReady: isReady
        )
    }

    /// URIs of STUN and TURN, and nothing else: clients are told of them.
    private static func uris(_ json: JSONText?) -> [String]? {
        guard let uris = json?.elements(limit: uriLimit)?.map(\.stringValue) else { return nil }
        let schemes = ["stun:", "stuns:", "turn:", "turns:"]
        guard uris.allSatisfy({ uri in schemes.contains { uri?.hasPrefix($0) == true } }) else { return nil }
        return uris.compactMap(\.self)
    }
}

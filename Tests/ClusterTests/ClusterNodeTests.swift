import SocketIO
import Testing

@testable import Cluster

@Suite("Servers that know of each other")
struct ClusterNodeTests {
    private static func node(
        _ id: String,
        region: String = "",
        load: Int = 0,
        relays: Bool = true,
        isDraining: Bool = false
    ) -> ClusterNode {
        ClusterNode(
            id: id,
            address: "192.0.2.1:3000",
            region: region,
            stun: ["stun:\(id).example:3478"],
            turn: relays ? ["turn:\(id).example:3478?transport=udp"] : [],
            load: load,
            isDraining: isDraining,
            isReady: true
        )
    }

    @Test("What a server says of itself is read as it was said")
    func text() {
        let node = Self.node("a", region: "eu", load: 7, isDraining: true)
        #expect(ClusterNode(node.json.text) == node)
        #expect(ClusterNode("{}") == nil && ClusterNode("nonsense") == nil)
        let foreign = node.json.text.replacing("turn:a.example", with: "https://evil")
        #expect(ClusterNode(foreign) == nil, "clients are told of relays and of nothing else")
    }

    @Test("The nearest come first, of those the ones with less to do; two of them; none that stops or relays nothing")
    func choice() {
        let nodes = [
            Self.node("far", region: "us", load: 0), Self.node("busy", region: "eu", load: 9),
            Self.node("idle", region: "eu", load: 1), Self.node("stopping", region: "eu", isDraining: true),
            Self.node("mute", region: "eu", relays: false),
        ]
        #expect(RelayChoice.choose(among: nodes, region: "eu").map(\.id) == ["idle", "busy"])
        #expect(RelayChoice.choose(among: nodes, region: "us").map(\.id) == ["far", "idle"])
        #expect(RelayChoice.choose(among: nodes, region: "eu", count: 9).map(\.id) == ["idle", "busy", "far"])
        let equal = [Self.node("b"), Self.node("a")]
        #expect(RelayChoice.choose(among: equal, region: "").map(\.id) == ["a", "b"])
        #expect(RelayChoice.choose(among: [], region: "").isEmpty)
    }
}

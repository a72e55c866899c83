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
        func ids(_ region: String, _ count: Int = RelayChoice.count) -> [String] {
            RelayChoice.choose(among: nodes, region: region, for: "call", count: count).map(\.id)
        }
        #expect(ids("eu") == ["idle", "busy"])
        #expect(ids("us") == ["far", "idle"])
        #expect(ids("eu", 9) == ["idle", "busy", "far"])
        #expect(RelayChoice.choose(among: [], region: "", for: "call").isEmpty)
    }

    @Test(
        "Servers choose alike for one call, in whatever order they know of relays, and differently for different calls"
    )
    func draws() {
        let nodes = (0..<20).map { Self.node("n\($0)", load: $0) }
        var firsts: [String: Int] = [:]
        for number in 0..<2_000 {
            let call = "call-\(number)"
            let chosen = RelayChoice.choose(among: nodes, region: "", for: call)
            #expect(chosen == RelayChoice.choose(among: nodes.reversed(), region: "", for: call))
            #expect(chosen.count == 2 && chosen[0].load < chosen[1].load)
            firsts[chosen[0].id, default: 0] += 1
        }
        // Of four that are drawn the least loaded: the idlest of twenty is among them one time in five.
        #expect((300..<500).contains(firsts["n0"] ?? 0), "\(firsts)")
        #expect(firsts["n17"] == nil && firsts["n18"] == nil && firsts["n19"] == nil)
    }

    @Test("Of relays with the same to do none is preferred")
    func ties() {
        let nodes = (0..<8).map { Self.node("n\($0)") }
        var firsts: [String: Int] = [:]
        for number in 0..<8_000 {
            firsts[RelayChoice.choose(among: nodes, region: "", for: "call-\(number)")[0].id, default: 0] += 1
        }
        #expect(firsts.count == 8 && firsts.values.allSatisfy { (850..<1_150).contains($0) }, "\(firsts)")
    }
}

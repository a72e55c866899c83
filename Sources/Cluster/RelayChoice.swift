/// Which relays clients are told of.
public enum RelayChoice {
    /// As many relays as a client is told of: one to use, and one to fall back on. More would cost each client time.
    public static let count = 2
    /// As many relays of a region are looked at for one call. What servers know of a relay's load is seconds old: if all of
    /// them chose the least loaded of all, everybody who comes in these seconds would go there.
    public static let sample = 4

    /// A relay that may be chosen.
    private struct Candidate {
        let index: Int
        let load: Int
        /// Which of them are looked at, and which of two equal ones comes first.
        let draw: UInt64
    }

    /// The relays for clients of a server in `region`: of those that relay and are not stopping the ones in the same region
    /// first, then the ones with less to do, of a few that are drawn for `subject`. It is the call, or whatever else stays the
    /// same for those who are to be told of the same: all servers that know the same choose alike.
    public static func choose(
        among nodes: [ClusterNode],
        region: String,
        for subject: String,
        count: Int = count,
        sample: Int = sample
    ) -> [ClusterNode] {
        var near: [Candidate] = []
        var far: [Candidate] = []
        let seed = hash(subject, 0xCBF2_9CE4_8422_2325)
        for index in nodes.indices where !nodes[index].turn.isEmpty && !nodes[index].isDraining {
            let candidate = Candidate(index: index, load: nodes[index].load, draw: mixed(hash(nodes[index].id, seed)))
            if nodes[index].region == region {
                add(candidate, to: &near, sample)
            } else {
                add(candidate, to: &far, sample)
            }
        }
        let ranked = [near, far].flatMap { $0.sorted { ($0.load, $0.draw) < ($1.load, $1.draw) } }
        var chosen: [ClusterNode] = []
        // A server that was killed and is back is known by two names for a while, and is one relay.
        for node in ranked.map({ nodes[$0.index] }) where !chosen.contains(where: { $0.turn == node.turn }) {
            guard chosen.count < count else { break }
            chosen.append(node)
        }
        return chosen
    }

    /// Keeps those with the lowest draws.
    private static func add(_ candidate: Candidate, to drawn: inout [Candidate], _ limit: Int) {
        if drawn.count >= limit {
            guard let last = drawn.last, candidate.draw < last.draw else { return }
            drawn.removeLast()
        }
        let place = drawn.firstIndex { candidate.draw < $0.draw } ?? drawn.endIndex
        drawn.insert(candidate, at: place)
    }

    /// FNV-1a, the same in every process.
    private static func hash(_ text: String, _ seed: UInt64) -> UInt64 {
        text.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// Spreads it over all bits (the finalizer of SplitMix64).
    private static func mixed(_ hash: UInt64) -> UInt64 {
        var bits = hash
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}

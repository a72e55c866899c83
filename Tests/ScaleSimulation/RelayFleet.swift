import Cluster

/// Relays with their allocations, and what servers believe of them.
struct RelayFleet {
    static let relaysPerCall = RelayChoice.count
    /// As often a relay says what it has to do, and a server hears of all.
    static let heartbeatSeconds = 2.0
    /// So long a relay is believed to be there.
    static let lifetimeSeconds = 6.0
    /// Servers hear at different moments; so many kinds of them are told apart.
    private static let viewCount = 8

    struct Relay {
        var allocations = 0
        /// Calls whose media it carries.
        var carried = 0
        var peakAllocations = 0
        var peakCarried = 0
        var newThisSecond = 0
        var peakNewPerSecond = 0
        var refused = 0
        /// Summed up second by second, for the mean.
        var allocationSeconds = 0
        var carriedSeconds = 0
        var isAlive = true
        /// What it said last, and when.
        var said = 0
        var saidAt = 0.0
    }

    private(set) var relays: [Relay]
    private var views: [[ClusterNode]]
    private let ports: Int
    private let sample: Int

    init(count: Int, ports: Int, sample: Int) {
        relays = Array(repeating: Relay(), count: count)
        views = Array(repeating: (0..<count).map { Self.node($0, load: 0) }, count: Self.viewCount)
        self.ports = ports
        self.sample = sample
    }

    private static func node(_ index: Int, load: Int) -> ClusterNode {
        let id = String(index)
        return ClusterNode(
            id: id,
            address: "",
            region: "",
            stun: [],
            turn: [id],
            load: load,
            isDraining: false,
            isReady: true
        )
    }

    /// The relays that a call is told of, by a server's belief.
    func choose(for call: String, server: Int) -> (Int, Int) {
        let chosen = RelayChoice.choose(
            among: views[server % views.count],
            region: "",
            for: call,
            count: Self.relaysPerCall,
            sample: sample
        )
        let indices = chosen.compactMap { Int($0.id) }
        return (indices.first ?? -1, indices.count > 1 ? indices[1] : -1)
    }

    /// Takes a port for an allocation; false if the relay is gone or has none left.
    mutating func allocate(_ relay: Int) -> Bool {
        guard relay >= 0, relays[relay].isAlive else { return false }
        guard relays[relay].allocations < ports else {
            relays[relay].refused += 1
            return false
        }
        relays[relay].allocations += 1
        relays[relay].newThisSecond += 1
        relays[relay].peakAllocations = max(relays[relay].peakAllocations, relays[relay].allocations)
        return true
    }

    mutating func release(_ relay: Int) {
        if relays[relay].isAlive { relays[relay].allocations -= 1 }
    }

    mutating func carry(_ relay: Int, _ count: Int) {
        guard relays[relay].isAlive else { return }
        relays[relay].carried += count
        relays[relay].peakCarried = max(relays[relay].peakCarried, relays[relay].carried)
    }

    mutating func kill(_ relay: Int) {
        relays[relay].isAlive = false
        relays[relay].allocations = 0
        relays[relay].carried = 0
    }

    /// What everybody says and hears at a tick: each at a moment of its own within two seconds.
    mutating func gossip(_ tick: Int) {
        let now = Double(tick) / Calendar.ticksPerSecond
        let period = Int(Self.heartbeatSeconds * Calendar.ticksPerSecond)
        for index in stride(from: tick % period, to: relays.count, by: period) where relays[index].isAlive {
            relays[index].said = relays[index].allocations
            relays[index].saidAt = now
        }
        for view in views.indices where tick % period == view * period / views.count {
            views[view] = relays.indices.compactMap { index in
                guard now - relays[index].saidAt < Self.lifetimeSeconds else { return nil }
                return Self.node(index, load: relays[index].said)
            }
        }
    }

    /// A second has passed.
    mutating func countSecond() {
        for index in relays.indices {
            relays[index].peakNewPerSecond = max(relays[index].peakNewPerSecond, relays[index].newThisSecond)
            relays[index].newThisSecond = 0
            relays[index].allocationSeconds += relays[index].allocations
            relays[index].carriedSeconds += relays[index].carried
        }
    }

    /// What was counted so far does not count.
    mutating func forgetPeaks() {
        for index in relays.indices {
            relays[index].peakAllocations = relays[index].allocations
            relays[index].peakCarried = relays[index].carried
            relays[index].peakNewPerSecond = 0
            relays[index].refused = 0
            relays[index].allocationSeconds = 0
            relays[index].carriedSeconds = 0
        }
    }
}

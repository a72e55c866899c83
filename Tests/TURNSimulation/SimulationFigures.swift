/// What one simulation has measured. All times but the longest request are the thread's on its processor.
struct SimulationFigures: Encodable {
    let allocations: Int
    /// How many look-ups of each kind the means are of.
    let lookups: Int
    /// ChannelData of clients.
    let routeUpNanoseconds: Double
    /// Datagrams of peers.
    let routeDownNanoseconds: Double
    /// Send indications of clients.
    let routeSendNanoseconds: Double
    /// To visit a slot in which nothing has expired.
    let sweepNanosecondsPerSlot: Double
    /// To close an allocation that has expired.
    let expiryNanosecondsEach: Double
    /// Allocate and ChannelBind together.
    let setupCPUMicrosecondsEach: Double
    /// By the clock, of all Allocate and ChannelBind requests: the one during which tables grew.
    let longestRequestMilliseconds: Double
    let residentBytesEach: Double
}

/// What the program prints.
struct SimulationReport: Encodable {
    let simulations: [SimulationFigures]

    /// A column for each simulation, for people.
    var table: String {
        let rows: [(String, (SimulationFigures) -> Double)] = [
            ("allocations", { Double($0.allocations) }),
            ("route ChannelData, ns", \.routeUpNanoseconds),
            ("route Send, ns", \.routeSendNanoseconds),
            ("route from peer, ns", \.routeDownNanoseconds),
            ("sweep, ns/slot", \.sweepNanosecondsPerSlot),
            ("expiry, ns each", \.expiryNanosecondsEach),
            ("Allocate + ChannelBind, µs", \.setupCPUMicrosecondsEach),
            ("longest request, ms", \.longestRequestMilliseconds),
            ("resident bytes each", \.residentBytesEach),
        ]
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, value in
            let cells = simulations.map { Self.padded(Self.figure(value($0)), to: 12, atStart: true) }
            return Self.padded(name, to: width, atStart: false) + cells.joined() + "\n"
        }.joined()
    }

    /// With a decimal where there is little before the point.
    private static func figure(_ value: Double) -> String {
        abs(value) < 1000 && value != value.rounded()
            ? "\((value * 10).rounded() / 10)" : "\(Int(value.rounded()))"
    }

    private static func padded(_ text: String, to width: Int, atStart: Bool) -> String {
        let spaces = String(repeating: " ", count: max(0, width - text.count))
        return atStart ? spaces + text : text + spaces
    }
}

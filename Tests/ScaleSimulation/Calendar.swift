/// What will happen, by hundredths of a second of virtual time. What would happen after the end is forgotten.
struct Calendar {
    static let ticksPerSecond = 100.0

    enum Happening: UInt32 {
        case answer, end, restart
    }

    private var ticks: [[UInt32]]

    init(seconds: Double) { ticks = Array(repeating: [], count: Int(seconds * Self.ticksPerSecond)) }

    var count: Int { ticks.count }

    /// Notes what happens to a call `seconds` after a tick; within the same one nothing does any more.
    mutating func note(_ happening: Happening, call: Int, _ seconds: Double, after tick: Int) {
        let at = Double(tick) + max(1, seconds * Self.ticksPerSecond)
        guard at < Double(ticks.count) else { return }
        ticks[Int(at)].append(UInt32(call) << 2 | happening.rawValue)
    }

    /// What happens at one tick, in the order in which it was noted.
    mutating func take(_ tick: Int) -> [(Happening, call: Int)] {
        let noted = ticks[tick]
        ticks[tick] = []
        return noted.compactMap { code in Happening(rawValue: code & 3).map { ($0, call: Int(code >> 2)) } }
    }
}

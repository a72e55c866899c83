import CallModel

/// What those in the room are inclined to do for a while. A room whose moods change sees calls that are answered, calls
/// that nobody takes, long ones and short ones.
enum Mood: CaseIterable {
    case talkative, quarrelsome, flaky, slow, hasty

    enum Inclination: String, CaseIterable {
        case initiate, ring, answer, reject, end, join, leave, disconnect, toggle, media, signal, relay, wait, sweep
        case intrude
    }

    /// How often each is done, one beside the other.
    var weights: [(Inclination, Int)] {
        switch self {
        case .talkative:
            [
                (.initiate, 1), (.ring, 3), (.answer, 10), (.reject, 1), (.end, 2), (.join, 20), (.leave, 1),
                (.disconnect, 2), (.toggle, 5), (.media, 3), (.signal, 12), (.relay, 2), (.wait, 4), (.sweep, 3),
                (.intrude, 2),
            ]
        case .quarrelsome:
            [
                (.initiate, 2), (.ring, 4), (.answer, 1), (.reject, 16), (.end, 1), (.join, 4), (.leave, 1),
                (.disconnect, 1), (.toggle, 1), (.media, 1), (.signal, 1), (.wait, 2), (.sweep, 2), (.intrude, 1),
            ]
        case .flaky:
            [
                (.initiate, 1), (.ring, 1), (.answer, 10), (.end, 1), (.join, 24), (.leave, 4), (.disconnect, 12),
                (.toggle, 2), (.signal, 3), (.relay, 1), (.wait, 8), (.sweep, 6), (.intrude, 1),
            ]
        case .slow:
            [
                (.initiate, 1), (.ring, 3), (.answer, 3), (.join, 2), (.signal, 2), (.wait, 14), (.sweep, 10),
                (.relay, 1), (.intrude, 1),
            ]
        case .hasty:
            [
                (.initiate, 6), (.ring, 2), (.answer, 10), (.reject, 3), (.end, 10), (.join, 10), (.leave, 4),
                (.disconnect, 1), (.signal, 2), (.wait, 2), (.sweep, 2), (.intrude, 1),
            ]
        }
    }

    /// How long one lets pass, in milliseconds.
    func pause(using generator: inout SeededGenerator) -> Int64 {
        switch self {
        case .slow: Int64.random(in: 1000...50_000, using: &generator)
        case .flaky: Int64.random(in: 0...31_000, using: &generator)
        case .talkative, .quarrelsome, .hasty: Int64.random(in: 0...3000, using: &generator)
        }
    }
}

import CallModel
import Foundation

/// The wall clock in the calls' unit.
enum WallClock {
    static func now() -> Timestamp {
        Timestamp(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1_000))
    }
}

extension Duration {
    /// Whole milliseconds, for what is stored in that unit.
    var wholeMilliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }
}

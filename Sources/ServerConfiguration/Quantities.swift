/// The notations of durations, sizes and rates in setting values.
enum Quantities {
    /// `500ms`, `60s`, `10m`, `24h`, `90d`. A bare number is refused: its unit would be a guess.
    static func duration(_ text: String) -> Duration? {
        guard let (number, unit) = split(text) else { return nil }
        let milliseconds: Int64
        switch unit {
        case "ms": milliseconds = 1
        case "s": milliseconds = 1_000
        case "m", "min": milliseconds = 60_000
        case "h": milliseconds = 3_600_000
        case "d": milliseconds = 86_400_000
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: milliseconds)
        return overflow ? nil : .milliseconds(product)
    }

    /// Bytes: `1000000`, `64kB`, `256KiB`, `1MB`, `2MiB`, `1GB`, `1GiB`.
    static func byteCount(_ text: String) -> Int? {
        guard let (number, unit) = split(text) else { return nil }
        let factor: Int64
        switch unit {
        case "", "B": factor = 1
        case "kB": factor = 1_000
        case "KiB": factor = 1 << 10
        case "MB": factor = 1_000_000
        case "MiB": factor = 1 << 20
        case "GB": factor = 1_000_000_000
        case "GiB": factor = 1 << 30
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : Int(product)
    }

    /// `10/m`: so many in a second, minute or hour.
    static func rate(_ text: String) -> Rate? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let (number, unit) = split(String(parts[0])), unit.isEmpty, number > 0 else {
            return nil
        }
        switch parts[1] {
        case "s": return Rate(count: Int(number), period: .seconds(1))
        case "m", "min": return Rate(count: Int(number), period: .seconds(60))
        case "h": return Rate(count: Int(number), period: .seconds(3_600))
        default: return nil
        }
    }

    /// The digits at the start and what follows them, without blanks between.
    private static func split(_ text: String) -> (number: Int64, unit: String)? {
        let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
        guard let number = Int64(digits) else { return nil }
        return (number, String(text[digits.endIndex...].drop { $0 == " " }))
    }
}

/// So many events in a period.
public struct Rate: Hashable, Sendable {
    /// How many; at least one.
    public let count: Int
    /// In which time.
    public let period: Duration

    /// `count` events in `period`.
    public init(count: Int, period: Duration) {
        self.count = count
        self.period = period
    }
}

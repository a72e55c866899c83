extension Timestamp {
    /// RFC 3339 in UTC with milliseconds, `2026-11-22T15:04:05.678Z`.
    ///
    /// Years beyond 0…9999, which RFC 3339 cannot write, are shown as the nearest one that it can.
    public var rfc3339: String {
        let earliest: Int64 = -62_167_219_200_000
        let latest: Int64 = 253_402_300_799_999
        let clamped = min(max(milliseconds, earliest), latest)
        let day = Self.floorDivide(clamped, 86_400_000)
        let millisecondOfDay = clamped - day * 86_400_000
        let date = Self.civilDate(daysSinceEpoch: day)
        var text = ""
        text.reserveCapacity(24)
        Self.append(date.year, digits: 4, to: &text)
        text += "-"
        Self.append(date.month, digits: 2, to: &text)
        text += "-"
        Self.append(date.day, digits: 2, to: &text)
        text += "T"
        Self.append(millisecondOfDay / 3_600_000, digits: 2, to: &text)
        text += ":"
        Self.append(millisecondOfDay / 60_000 % 60, digits: 2, to: &text)
        text += ":"
        Self.append(millisecondOfDay / 1000 % 60, digits: 2, to: &text)
        text += "."
        Self.append(millisecondOfDay % 1000, digits: 3, to: &text)
        text += "Z"
        return text
    }

    /// The proleptic Gregorian date of a day, counted in eras of 400 years that begin on 1 March, so that the leap day
    /// is the last of its year and needs no special case.
    private static func civilDate(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = daysSinceEpoch + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, day)
    }

    private static func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
        let quotient = dividend / divisor
        return dividend % divisor < 0 ? quotient - 1 : quotient
    }

    private static func append(_ value: Int64, digits: Int, to text: inout String) {
        let decimal = String(value)
        for _ in 0..<max(0, digits - decimal.utf8.count) { text += "0" }
        text += decimal
    }
}

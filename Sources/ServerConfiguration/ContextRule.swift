/// The code points that PRECIS allows in certain company only (RFC 5892 appendix A).
enum ContextRule {
    case joiner
    case middleDot
    case greekNumeralSign
    case hebrewPunctuation
    case katakanaMiddleDot
    case arabicIndicDigit
    case extendedArabicIndicDigit

    /// The rule for a code point; nil if its company does not matter.
    init?(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x200C, 0x200D: self = .joiner
        case 0x00B7: self = .middleDot
        case 0x0375: self = .greekNumeralSign
        case 0x05F3, 0x05F4: self = .hebrewPunctuation
        case 0x30FB: self = .katakanaMiddleDot
        case 0x0660...0x0669: self = .arabicIndicDigit
        case 0x06F0...0x06F9: self = .extendedArabicIndicDigit
        default: return nil
        }
    }

    /// Whether the code point may stand at `index` of `text`.
    ///
    /// Of the two ways in which U+200C is allowed, only the one behind a virama is: the other goes by joining types, which
    /// the standard library does not know.
    func allows(at index: Int, in text: [Unicode.Scalar]) -> Bool {
        let before = index > 0 ? text[index - 1] : nil
        let after = index + 1 < text.count ? text[index + 1] : nil
        return switch self {
        case .joiner: before?.properties.canonicalCombiningClass == .virama
        case .middleDot: before == "l" && after == "l"
        case .greekNumeralSign: after.map { Self.isIn(Self.greek, $0) } ?? false
        case .hebrewPunctuation: before.map { Self.isIn(Self.hebrew, $0) } ?? false
        case .katakanaMiddleDot: text.contains { Self.isIn(Self.japanese, $0) }
        case .arabicIndicDigit: !text.contains { (0x06F0...0x06F9).contains($0.value) }
        case .extendedArabicIndicDigit: !text.contains { (0x0660...0x0669).contains($0.value) }
        }
    }

    private static func isIn(_ blocks: [ClosedRange<UInt32>], _ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic && blocks.contains { $0.contains(scalar.value) }
    }

    private static let greek: [ClosedRange<UInt32>] = [0x0370...0x03FF, 0x1F00...0x1FFF]
    private static let hebrew: [ClosedRange<UInt32>] = [0x0590...0x05FF, 0xFB1D...0xFB4F]
    /// Hiragana, Katakana and Han.
    private static let japanese: [ClosedRange<UInt32>] = [
        0x3005...0x3007, 0x3021...0x3029, 0x3041...0x309F, 0x30A1...0x30FA, 0x30FC...0x30FF, 0x31F0...0x31FF,
        0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0xFF66...0xFF9D, 0x20000...0x3FFFF,
    ]
}

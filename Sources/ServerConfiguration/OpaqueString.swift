import Foundation

/// The OpaqueString profile of PRECIS (RFC 8265 §4.2): the one form in which names, realms and passwords are stored, sent
/// and compared, so that two ways to write the same text are the same text.
public enum OpaqueString {
    /// `text` with every space as U+0020 and in normalization form C; nil if it is empty or has a code point that the
    /// FreeformClass of RFC 8264 leaves out: controls, invisible and unassigned ones, half-syllables.
    public static func prepare(_ text: String) -> String? {
        var spaced = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            spaced.append(scalar.properties.generalCategory == .spaceSeparator ? " " : scalar)
        }
        let prepared = String(spaced).precomposedStringWithCanonicalMapping
        let scalars = Array(prepared.unicodeScalars)
        let isAllowed = scalars.indices.allSatisfy { OpaqueString.isAllowed(scalars[$0], at: $0, in: scalars) }
        return scalars.isEmpty || !isAllowed ? nil : prepared
    }

    /// Whether the FreeformClass has a code point in this place (RFC 8264 §8).
    private static func isAllowed(_ scalar: Unicode.Scalar, at index: Int, in text: [Unicode.Scalar]) -> Bool {
        if exceptions.contains(scalar.value) { return false }
        if let rule = ContextRule(scalar) { return rule.allows(at: index, in: text) }
        if oldHangulJamo.contains(where: { $0.contains(scalar.value) }) { return false }
        if scalar.properties.isDefaultIgnorableCodePoint { return false }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }

    /// Letters that RFC 5892 §2.6 leaves out: elongation and vertical repetition marks.
    private static let exceptions: Set<UInt32> = [
        0x0640, 0x07FA, 0x302E, 0x302F, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303B,
    ]

    /// Conjoining jamo (RFC 8264 §9.9): parts of syllables, which mean the same as the syllable.
    private static let oldHangulJamo: [ClosedRange<UInt32>] = [0x1100...0x11FF, 0xA960...0xA97C, 0xD7B0...0xD7FB]
}

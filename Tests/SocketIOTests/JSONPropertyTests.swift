import SocketIO
import Testing

@Suite("JSON text, for any input")
struct JSONPropertyTests {
    /// A value to compare with, and its text in a form that clients could write.
    private indirect enum Value: Equatable {
        case scalar(JSONText)
        case string(String)
        case array([Value])
        case object([(String, Value)])

        static func == (left: Value, right: Value) -> Bool { left.text == right.text }

        var text: JSONText {
            switch self {
            case .scalar(let text): text
            case .string(let characters): .string(characters)
            case .array(let values): .array(values.map(\.text))
            case .object(let members): .object(members.map { ($0.0, $0.1.text) })
            }
        }

        init(depth: Int, using random: inout SeededGenerator) {
            switch Int.random(in: 0..<(depth > 0 ? 6 : 4), using: &random) {
            case 0: self = .scalar(.integer(Int.random(in: -1_000_000...1_000_000, using: &random)))
            case 1: self = .scalar(.number(Double.random(in: -1e9...1e9, using: &random)))
            case 2: self = .scalar([true, false, .null][Int.random(in: 0..<3, using: &random)] as JSONText)
            case 3: self = .string(Self.characters(using: &random))
            case 4:
                self = .array(
                    (0..<Int.random(in: 0...4, using: &random)).map { _ in Value(depth: depth - 1, using: &random) }
                )
            default:
                self = .object(
                    (0..<Int.random(in: 0...4, using: &random)).map { _ in
                        (Self.characters(using: &random), Value(depth: depth - 1, using: &random))
                    }
                )
            }
        }

        static func characters(using random: inout SeededGenerator) -> String {
            var characters = ""
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let ranges: [ClosedRange<UInt32>] = [0...0x7F, 0x20...0x7E, 0x80...0xD7FF, 0x1F300...0x1F9FF]
                let range = ranges[Int.random(in: 0..<ranges.count, using: &random)]
                characters.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: range, using: &random)) ?? " ")
            }
            return characters
        }

        /// Whether reading `text` part by part gives this value.
        func isRead(from text: JSONText) -> Bool {
            switch self {
            case .scalar(let scalar): return text == scalar
            case .string(let characters): return text.stringValue == characters
            case .array(let values):
                guard let elements = text.elements(), elements.count == values.count else { return false }
                return zip(values, elements).allSatisfy { $0.isRead(from: $1) }
            case .object(let expected):
                guard let members = text.members(), members.count == expected.count else { return false }
                return zip(expected, members).allSatisfy { $0.0 == $1.name && $0.1.isRead(from: $1.value) }
            }
        }
    }

    @Test("what is written is read again", arguments: seeds)
    func roundTrip(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let value = Value(depth: 5, using: &random)
            let read = try JSONText(validating: value.text.text)
            #expect(read == value.text, "seed \(seed)")
            #expect(value.isRead(from: read), "seed \(seed): \(read)")
        }
    }

    @Test("random bytes are refused or read, never a trap", arguments: seeds)
    func randomBytes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\",:\\u0123456789eE+-.truefalsn \n\u{1E}é".utf8)
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                    : UInt8.random(in: 0...255, using: &random)
            }
            guard let json = try? JSONText(validating: bytes) else { continue }
            walk(json)
            #expect((try? JSONText(validating: json.text)) == json, "seed \(seed): \(bytes)")
        }
    }

    @Test("changed and cut texts are refused or read, never a trap", arguments: seeds)
    func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var bytes = Array(Value(depth: 4, using: &random).text.text.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.removeSubrange(index...)
                }
            }
            if let json = try? JSONText(validating: bytes) { walk(json) }
        }
    }

    /// Reads everything that can be read.
    private func walk(_ json: JSONText) {
        _ = (json.stringValue, json.integerValue, json.doubleValue, json.booleanValue)
        json.elements()?.forEach(walk)
        json.members()?.forEach { walk($0.value) }
    }
}

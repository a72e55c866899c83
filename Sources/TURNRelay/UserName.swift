internal import NetPrimitives

/// A user's name, the same as another if it is so byte for byte: strings that look alike are different users.
struct UserName: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: UserName, right: UserName) -> Bool { left.text.isIdentical(to: right.text) }

    // Names that are the same byte for byte are equal strings too, and these have the same hash.
    func hash(into hasher: inout Hasher) { text.hash(into: &hasher) }
}

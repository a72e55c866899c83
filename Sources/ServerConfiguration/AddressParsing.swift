import NetPrimitives

extension IPAddress {
    /// The address that `text` writes, or nil.
    init?(_ text: String) {
        guard let address = try? IPAddress(parsing: text) else { return nil }
        self = address
    }
}

extension IPPrefix {
    /// The block that `text` writes, or nil.
    init?(_ text: String) {
        guard let prefix = try? IPPrefix(parsing: text) else { return nil }
        self = prefix
    }
}

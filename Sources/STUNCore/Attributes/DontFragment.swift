extension MessageView {
    /// Whether the message has DONT-FRAGMENT (RFC 8656 §18.9). With a value it is malformed, and counts as nothing.
    public var dontFragment: Bool { first(.dontFragment)?.length == 0 }
}

extension MessageBuilder {
    /// Appends DONT-FRAGMENT.
    public mutating func appendDontFragment() { appendHeader(.dontFragment, length: 0) }
}

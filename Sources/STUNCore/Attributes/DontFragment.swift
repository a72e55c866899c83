extension MessageView {
    /// Whether the message has DONT-FRAGMENT (RFC 8656 §18.9), which carries no value.
    public var dontFragment: Bool { contains(.dontFragment) }
}

extension MessageBuilder {
    /// Appends DONT-FRAGMENT.
    public mutating func appendDontFragment() { appendHeader(.dontFragment, length: 0) }
}

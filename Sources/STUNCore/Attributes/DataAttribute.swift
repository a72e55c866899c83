extension MessageView {
    /// Where the bytes of DATA (RFC 8656 §18.4) stand in the message; nil without it.
    public var dataRange: Range<Int>? {
        first(.data).map { $0.valueOffset..<($0.valueOffset &+ $0.length) }
    }
}

extension MessageBuilder {
    /// Appends DATA with a copy of `payload`.
    public mutating func appendData(_ payload: RawSpan) { append(.data, payload) }
}

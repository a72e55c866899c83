public import NetPrimitives

extension MessageView {
    /// The endpoint in MAPPED-ADDRESS (RFC 8489 §14.1), which old servers send in the clear; nil if there is none or it
    /// is malformed.
    public var mappedAddress: Endpoint? { first(.mappedAddress).flatMap { address($0) } }
}

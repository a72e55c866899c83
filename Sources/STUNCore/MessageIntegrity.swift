import NetPrimitives

extension MessageView {
    /// Whether the message carries the integrity attribute of `algorithm` and it is right under `key`; compared in
    /// constant time.
    ///
    /// A code that was cut short is wrong: RFC 8489 §14.6 lets only usages that say so truncate MESSAGE-INTEGRITY-SHA256,
    /// and RFC 8656 does not.
    public func verifyIntegrity(_ algorithm: IntegrityAlgorithm, key: IntegrityKey) -> Bool {
        let attribute =
            switch algorithm {
            case .sha1: messageIntegrity
            case .sha256: messageIntegritySHA256
            }
        guard let attribute, attribute.length == algorithm.codeLength else { return false }
        let code = authenticationCode(
            algorithm,
            key: key,
            over: bytes,
            upTo: attribute.offset,
            lengthUpTo: attribute.end
        )
        return isEqualInConstantTime(value(of: attribute), code.span.rawBytes)
    }

    /// The strongest integrity attribute that the message carries: what it is verified by, and what its response gets.
    public var integrityAlgorithm: IntegrityAlgorithm? {
        if messageIntegritySHA256 != nil { return .sha256 }
        return messageIntegrity == nil ? nil : .sha1
    }
}

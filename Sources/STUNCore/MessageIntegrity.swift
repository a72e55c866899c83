import NetPrimitives

extension MessageView {
    /// Whether the message carries the integrity attribute of `algorithm` and it is right under `key`; compared in
    /// constant time.
    ///
    /// MESSAGE-INTEGRITY has exactly 20 bytes; MESSAGE-INTEGRITY-SHA256 may be truncated to no fewer than 16, in steps
    /// of four (RFC 8489 §14.6).
    public func verifyIntegrity(_ algorithm: IntegrityAlgorithm, key: IntegrityKey) -> Bool {
        let attribute =
            switch algorithm {
            case .sha1: messageIntegrity
            case .sha256: messageIntegritySHA256
            }
        guard let attribute, algorithm.allows(codeLength: attribute.length) else { return false }
        let code = authenticationCode(
            algorithm,
            key: key,
            over: bytes,
            upTo: attribute.offset,
            lengthUpTo: attribute.end
        )
        return isEqualInConstantTime(value(of: attribute), code.prefix(attribute.length))
    }

    /// The strongest integrity attribute that the message carries: what it is verified by, and what its response gets.
    public var integrityAlgorithm: IntegrityAlgorithm? {
        if messageIntegritySHA256 != nil { return .sha256 }
        return messageIntegrity == nil ? nil : .sha1
    }
}

extension IntegrityAlgorithm {
    fileprivate func allows(codeLength length: Int) -> Bool {
        switch self {
        case .sha1: length == 20
        case .sha256: length >= 16 && length <= 32 && length & 3 == 0
        }
    }
}

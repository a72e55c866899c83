import NetPrimitives

extension MessageView {
    /// The algorithm in PASSWORD-ALGORITHM (RFC 8489 §14.12); nil if there is none, it is malformed or unknown, or has
    /// parameters, which no known one has.
    ///
    /// The length of the parameters that are not there is not looked at: libjuice sends whatever its memory held.
    public var passwordAlgorithm: PasswordAlgorithm? {
        guard let attribute = first(.passwordAlgorithm), attribute.length == 4 else { return nil }
        return value(of: attribute).uint16(at: 0).flatMap { PasswordAlgorithm(rawValue: $0) }
    }

    /// The known algorithms in PASSWORD-ALGORITHMS (RFC 8489 §14.11) in the sender's order; nil without the attribute or
    /// if it is malformed.
    public var passwordAlgorithms: [PasswordAlgorithm]? {
        guard let attribute = first(.passwordAlgorithms) else { return nil }
        var reader = ByteReader(value(of: attribute))
        var algorithms: [PasswordAlgorithm] = []
        do throws(ByteReadFailure) {
            while reader.remaining > 0 {
                let number = try reader.readUInt16()
                let length = Int(try reader.readUInt16())
                try reader.skip((length + 3) & ~3)
                if let algorithm = PasswordAlgorithm(rawValue: number) { algorithms.append(algorithm) }
            }
        } catch {
            return nil
        }
        return algorithms
    }
}

extension MessageBuilder {
    /// Appends PASSWORD-ALGORITHM; neither algorithm has parameters.
    public mutating func appendPasswordAlgorithm(_ algorithm: PasswordAlgorithm) {
        appendHeader(.passwordAlgorithm, length: 4)
        writer.append(UInt32(algorithm.rawValue) << 16)
    }

    /// Appends PASSWORD-ALGORITHMS in order of preference.
    public mutating func appendPasswordAlgorithms(_ algorithms: [PasswordAlgorithm]) {
        appendHeader(.passwordAlgorithms, length: algorithms.count * 4)
        for algorithm in algorithms { writer.append(UInt32(algorithm.rawValue) << 16) }
    }
}

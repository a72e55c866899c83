import NetPrimitives
import STUNCore
import STUNServer

/// Any bytes as a STUN message: everything that reads it is called, what was read is written again and read once more.
enum MessageFuzz {
    static func run(_ bytes: RawSpan) throws(FuzzFinding) {
        let message: MessageView
        do throws(MessageFailure) {
            message = try MessageView(parsing: bytes)
        } catch {
            return
        }
        let attributes = try walk(message)
        try AttributeFuzz.readAll(message)
        try checkGate(message)
        try checkAuthentication(message)
        for algorithm in [IntegrityAlgorithm.sha1, .sha256] {
            // What this key makes is never told to anybody, and 16 bytes of HMAC are not found by chance.
            try expect(!message.verifyIntegrity(algorithm, key: key), "an integrity that nobody made is right")
            try checkRebuilt(message, attributes, sealedBy: IntegritySeal(key: key, algorithm: algorithm))
        }
    }

    /// Another key than the seeds' one: a seal of theirs may become right by the very bit that is changed here.
    private static let key = IntegrityKey.longTerm(username: "fuzz", realm: "example.org", password: "nobody's")

    /// The attributes in order: they lie inside the message, one behind the other.
    static func walk(_ message: MessageView) throws(FuzzFinding) -> [Attribute] {
        var attributes: [Attribute] = []
        var end = MessageView.headerLength
        var reader = message.attributes
        while let attribute = reader.next() {
            try expect(attribute.offset == end, "a gap or an overlap before \(attribute)")
            try expect(attribute.valueOffset + attribute.length <= message.bytes.byteCount, "\(attribute) is too long")
            try expect(message.value(of: attribute).byteCount == attribute.length, "the value of \(attribute)")
            let isHidden = [.messageIntegrity, .messageIntegritySHA256, .fingerprint].contains(attribute.type)
            try expect(!isHidden, "\(attribute) is none that callers walk over")
            end = attribute.end
            attributes.append(attribute)
        }
        return attributes
    }

    private static func checkGate(_ message: MessageView) throws(FuzzFinding) {
        for known in [KnownAttributes.stun, KnownAttributes([])] {
            guard case .unknownAttributes(let types) = RequestGate.check(message, known: known) else { continue }
            try expect(!types.isEmpty && types.count <= RequestGate.maximumListedTypes, "420 lists \(types)")
            let areStrange = types.allSatisfy { $0.isComprehensionRequired && !known.contains($0) }
            try expect(areStrange, "420 lists a type that is known or optional: \(types)")
            var builder = MessageBuilder(capacity: 4_096)
            builder.begin(MessageType(message.type.method, .error), message.transactionID)
            builder.appendErrorCode(.unknownAttribute)
            builder.appendUnknownAttributes(types)
            let range = try unwrap(builder.finish(fingerprint: true), "an answer of 420 does not fit")
            let answer = try parse(builder.bytes(in: range))
            try expect(answer.errorCode == .unknownAttribute, "420 reads \(String(describing: answer.errorCode))")
            try expect(answer.unknownAttributes == types, "420 lists \(answer.unknownAttributes), not \(types)")
            try expect(answer.transactionID == message.transactionID, "420 has another transaction")
        }
    }

    private static let authenticator: Authenticator = {
        var random = SplitMix(state: 8489)
        return Authenticator(credentials: RelayCast.book, nonceKey: NonceKey(using: &random))
    }()

    /// No bytes alone are a proof: our nonce, which only a client that we answered knows, is 16 bytes of HMAC.
    private static func checkAuthentication(_ message: MessageView) throws(FuzzFinding) {
        let client = RelayCast.flows[0].client
        let now = RelayCast.start
        let outcome = authenticator.authenticate(message, from: client, unixSeconds: now, expiry: .checked)
        guard case .refused(let refusal) = outcome else {
            throw FuzzFinding(description: "a stranger was believed")
        }
        var builder = MessageBuilder(capacity: 4_096)
        let written = ReplyWriter.refusal(
            refusal,
            to: message,
            from: client,
            by: authenticator,
            unixSeconds: now,
            in: &builder
        )
        let range = try unwrap(written, "a refusal does not fit")
        let answer = try parse(builder.bytes(in: range))
        try expect(answer.errorCode == refusal.errorCode, "a refusal reads \(String(describing: answer.errorCode))")
        try expect(answer.integrityAlgorithm == nil, "a refusal is sealed")
        let isSmall = range.count + 28 <= 3 * (message.bytes.byteCount + 28)
        try expect(isSmall, "\(range.count) bytes refuse \(message.bytes.byteCount)")
    }

    /// Writes the same attributes into a message that is sealed, and breaks the seal.
    private static func checkRebuilt(
        _ message: MessageView,
        _ attributes: [Attribute],
        sealedBy seal: IntegritySeal
    ) throws(FuzzFinding) {
        var builder = MessageBuilder(capacity: 70_000)
        builder.begin(message.type, message.transactionID)
        for attribute in attributes { builder.append(attribute.type, message.value(of: attribute)) }
        guard let range = builder.finish(sealedBy: seal, fingerprint: true) else {
            return try expect(message.bytes.byteCount > 65_400, "a message of \(message.bytes.byteCount) does not fit")
        }
        let rebuilt = try parse(builder.bytes(in: range))
        try expect(rebuilt.type == message.type && rebuilt.transactionID == message.transactionID, "another header")
        try expect(rebuilt.isFingerprintRight && rebuilt.fingerprint != nil, "our own fingerprint is wrong")
        try expect(rebuilt.verifyIntegrity(seal.algorithm, key: seal.key), "our own integrity is wrong")
        let copies = try walk(rebuilt)
        try expect(copies.count == attributes.count, "\(copies.count) attributes of \(attributes.count)")
        for (copy, attribute) in zip(copies, attributes) {
            let isSame =
                copy.type == attribute.type
                && isEqualInConstantTime(rebuilt.value(of: copy), message.value(of: attribute))
            try expect(isSame, "\(attribute) became \(copy)")
        }
        try checkBrokenSeal(rebuilt, seal)
    }

    /// Changes one bit that the seal covers, chosen by the message itself.
    private static func checkBrokenSeal(_ message: MessageView, _ seal: IntegritySeal) throws(FuzzFinding) {
        let attribute = seal.algorithm == .sha1 ? message.messageIntegrity : message.messageIntegritySHA256
        let integrity = try unwrap(attribute, "a sealed message without its seal")
        var damaged = message.bytes.copied()
        let place = 8 + Int(message.transactionID.low % UInt64(integrity.offset - 8))
        damaged[place] ^= 1 << UInt8(message.transactionID.high & 7)
        var isTaken = false
        do throws(MessageFailure) {
            isTaken = try MessageView(parsing: damaged.span.rawBytes).verifyIntegrity(seal.algorithm, key: seal.key)
        } catch {
            return
        }
        try expect(!isTaken, "byte \(place) changed under the seal unnoticed")
    }
}

/// The message in bytes that we wrote ourselves.
@_lifetime(copy bytes)
func parse(_ bytes: RawSpan) throws(FuzzFinding) -> MessageView {
    do throws(MessageFailure) {
        return try MessageView(parsing: bytes)
    } catch {
        throw FuzzFinding(description: "what we wrote is no message: \(error)")
    }
}

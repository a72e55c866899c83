import NetPrimitives

/// Writes STUN messages one after the other into a buffer of fixed size that is used again and again.
///
/// `begin`, then the attributes, then `finish`. A message that does not fit is taken back whole and `finish` answers nil.
/// The bytes of finished messages stay until `removeAll`.
public struct MessageBuilder: ~Copyable {
    var writer: ByteWriter
    private var messageStart = 0
    private(set) var transactionID = TransactionID(high: 0, low: 0)

    /// A builder with room for `capacity` bytes of messages.
    public init(capacity: Int) { writer = ByteWriter(capacity: capacity) }

    /// How many bytes the messages take that were written so far.
    public var count: Int { writer.count }

    /// How many bytes fit in all.
    public var capacity: Int { writer.capacity }

    /// The bytes that `range` names, as `finish` answered it.
    @_lifetime(borrow self)
    public borrowing func bytes(in range: Range<Int>) -> RawSpan { writer.bytes(in: range) }

    /// Forgets all messages and keeps the memory.
    public mutating func removeAll() {
        writer.removeAll()
        messageStart = 0
    }

    /// Starts a message behind the last one that was finished; an unfinished one is dropped.
    public mutating func begin(_ type: MessageType, _ transactionID: TransactionID) {
        writer.truncate(to: messageStart)
        self.transactionID = transactionID
        writer.append(type.rawValue)
        writer.append(UInt16(0))
        writer.append(MessageView.magicCookie)
        writer.append(transactionID.high)
        writer.append(transactionID.low)
    }

    /// Appends an attribute, padded with zeros.
    public mutating func append(_ type: AttributeType, _ value: RawSpan) {
        appendHeader(type, length: value.byteCount)
        writer.append(value)
        pad(value.byteCount)
    }

    /// Appends an attribute whose value is the UTF-8 form of `text`, padded with zeros.
    public mutating func append(_ type: AttributeType, text: String) {
        let length = text.utf8.count
        appendHeader(type, length: length)
        writer.append(text)
        pad(length)
    }

    /// Ends the message: sets its length, appends the integrity attribute and FINGERPRINT if they are asked for, and
    /// answers where the message stands. Nil if it did not fit; then nothing of it is left.
    public mutating func finish(sealedBy seal: IntegritySeal? = nil, fingerprint: Bool = false) -> Range<Int>? {
        if let seal { appendIntegrity(seal) }
        if fingerprint { appendFingerprint() }
        let length = writer.count - messageStart - MessageView.headerLength
        guard !writer.overflowed, length >= 0, length <= 0xFFFC else {
            writer.truncate(to: messageStart)
            return nil
        }
        writer.overwrite(UInt16(length), at: messageStart + 2)
        let range = messageStart..<writer.count
        messageStart = writer.count
        return range
    }

    mutating func appendHeader(_ type: AttributeType, length: Int) {
        guard let length = UInt16(exactly: length) else { return writer.markOverflowed() }
        writer.append(type.rawValue)
        writer.append(length)
    }

    mutating func pad(_ length: Int) { writer.appendZeros(-length & 3) }

    private mutating func appendIntegrity(_ seal: IntegritySeal) {
        let end = writer.count
        let coveredEnd = end - messageStart + 4 + seal.algorithm.codeLength
        let code = authenticationCode(
            seal.algorithm,
            key: seal.key,
            over: writer.bytes(in: messageStart..<end),
            upTo: end - messageStart,
            lengthUpTo: coveredEnd
        )
        appendHeader(seal.algorithm.attributeType, length: code.count)
        for byte in code { writer.append(byte) }
    }

    private mutating func appendFingerprint() {
        let end = writer.count
        let length = end + 8 - messageStart - MessageView.headerLength
        guard !writer.overflowed, length <= 0xFFFC else { return writer.markOverflowed() }
        writer.overwrite(UInt16(length), at: messageStart + 2)
        let value = fingerprintValue(over: writer.bytes(in: messageStart..<end), upTo: end - messageStart)
        appendHeader(.fingerprint, length: 4)
        writer.append(value)
    }
}

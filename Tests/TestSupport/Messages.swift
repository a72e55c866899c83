import NetPrimitives
public import STUNCore

/// The bytes of one STUN message: `body` appends its attributes.
public func stunMessage(
    _ type: MessageType,
    _ transactionID: TransactionID = TransactionID(high: 0x1122_3344, low: 0x5566_7788_99AA_BBCC),
    sealedBy seal: IntegritySeal? = nil,
    fingerprint: Bool = false,
    _ body: (inout MessageBuilder) -> Void = { _ in }
) -> [UInt8] {
    var builder = MessageBuilder(capacity: 70_000)
    builder.begin(type, transactionID)
    body(&builder)
    guard let range = builder.finish(sealedBy: seal, fingerprint: fingerprint) else {
        preconditionFailure("a test's message does not fit into a datagram")
    }
    return builder.bytes(in: range).copied()
}

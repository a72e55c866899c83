internal import NetPrimitives
internal import STUNCore

/// What an answer needs to know about its request.
struct RequestOrigin: Sendable {
    let method: MessageMethod
    let transactionID: TransactionID
    let flow: Flow
    /// An answer carries FINGERPRINT if its request did (RFC 8489 §7).
    let hasFingerprint: Bool
    /// What the answer is sealed with once the sender is known.
    var seal: IntegritySeal?

    init(_ message: MessageView, from flow: Flow) {
        method = message.type.method
        transactionID = message.transactionID
        hasFingerprint = message.fingerprint != nil
        self.flow = flow
    }
}

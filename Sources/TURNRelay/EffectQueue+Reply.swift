internal import NetPrimitives
internal import STUNCore

extension EffectQueue {
    /// Appends an answer. One that does not fit is dropped like a lost datagram: the client asks again.
    mutating func reply(
        _ type: MessageType,
        _ transactionID: TransactionID,
        to flow: Flow,
        sealedBy seal: IntegritySeal?,
        _ appendAttributes: (inout MessageBuilder) -> Void = { _ in }
    ) {
        messages.begin(type, transactionID)
        appendAttributes(&messages)
        guard let range = messages.finish(sealedBy: seal) else {
            append(.report(.dropped(.overload)))
            return
        }
        let bytes = ArenaSlice(offset: range.lowerBound, count: range.count)
        append(.send(bytes: bytes, socket: flow.socket, destination: flow.client))
    }

    /// Appends an error answer and its report.
    mutating func refuse(
        _ refusal: Refusal,
        _ method: MessageMethod,
        _ transactionID: TransactionID,
        to flow: Flow,
        sealedBy seal: IntegritySeal?
    ) {
        reply(MessageType(method, .error), transactionID, to: flow, sealedBy: seal) { builder in
            builder.appendErrorCode(refusal.code)
        }
        append(.report(.refused(code: refusal.code.rawValue)))
    }
}

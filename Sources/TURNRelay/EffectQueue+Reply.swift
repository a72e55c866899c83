internal import NetPrimitives
internal import STUNCore

extension EffectQueue {
    /// Appends a success answer and its report.
    mutating func answer(_ origin: RequestOrigin, _ appendAttributes: (inout MessageBuilder) -> Void = { _ in }) {
        messages.begin(MessageType(origin.method, .success), origin.transactionID)
        appendAttributes(&messages)
        let range = messages.finish(sealedBy: origin.seal, fingerprint: origin.hasFingerprint)
        if send(range, to: origin.flow) { append(.report(.answered)) }
    }

    /// Appends an error answer and its report. Whoever has not proved to be there gets no reason phrase, which would only
    /// make the answer longer.
    mutating func refuse(_ refusal: Refusal, _ origin: RequestOrigin) {
        messages.begin(MessageType(origin.method, .error), origin.transactionID)
        messages.appendErrorCode(refusal.code, reason: origin.seal == nil ? "" : nil)
        if let alternate = refusal.alternate { messages.appendAlternateServer(alternate) }
        if !refusal.unknownAttributes.isEmpty { messages.appendUnknownAttributes(refusal.unknownAttributes) }
        let range = messages.finish(sealedBy: origin.seal, fingerprint: origin.hasFingerprint)
        if send(range, to: origin.flow) { append(.report(.refused(code: refusal.code.rawValue))) }
    }

    /// Appends a finished message to a client. One that did not fit is dropped like a lost datagram: the client asks
    /// again.
    @discardableResult
    mutating func send(_ range: Range<Int>?, to flow: Flow) -> Bool {
        guard let range else {
            append(.report(.dropped(.overload)))
            return false
        }
        let bytes = ArenaSlice(offset: range.lowerBound, count: range.count)
        append(.send(bytes: bytes, socket: flow.socket, destination: flow.client))
        return true
    }
}

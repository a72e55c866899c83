import CallModel

/// One client's message of offers, answers or candidates on its way into the store.
struct SignalsUnderway: Sendable {
    let signals: [Signal]
    let actor: Actor
    let identity: Identity
    /// Told once what came of it, from any thread.
    let done: @Sendable (Result<SignalReceipt, CallFailure>) -> Void

    var action: CallAction { .signal(signals) }

    /// What the client hears when the call has become `call` by it.
    func receipt(_ call: Call) -> SignalReceipt {
        let isDelivered = signals.contains { call.delivers($0, from: actor.userID) }
        return SignalReceipt(isDelivered: isDelivered, sequence: call.sequence)
    }
}

import CallModel
import CallStore
import Locking

/// One client's message of offers, answers or candidates on its way into the store.
struct SignalsUnderway: Sendable {
    let signals: [Signal]
    let actor: Actor
    let identity: Identity
    /// Told once what came of it, from any thread.
    let done: @Sendable (Result<SignalReceipt, CallFailure>) -> Void

    var action: CallAction { .signal(signals) }

    /// Whether it may wait for others to be committed with: of candidates, another one may be as good.
    var isPatient: Bool { signals.allSatisfy { $0.kind == .candidate } }

    /// What the client hears when the call has become `call` by it.
    func receipt(_ call: Call) -> SignalReceipt {
        let isDelivered = signals.contains { call.delivers($0, from: actor.userID) }
        return SignalReceipt(isDelivered: isDelivered, sequence: call.sequence)
    }
}

/// Signals of one call that one commit writes: those that it was begun for, and those that came until it was its turn.
///
/// A class because the store asks for it on its own thread.
final class SignalBatch: Sendable {
    struct Content: Sendable {
        var all: [SignalsUnderway]
        /// The receipts of the first so many of `all` that could be applied.
        var receipts: [SignalReceipt] = []
        /// What these make of the call; nil if there are none.
        var commit: CallCommit?
    }

    private let state: Locked<Content>

    init(_ first: [SignalsUnderway]) { state = Locked(Content(all: first)) }

    var content: Content { state.withLock { $0 } }

    /// Settles what is committed; answers it.
    func prepare(_ body: (inout Content) -> Void) -> CallCommit? {
        var prepared = content
        body(&prepared)
        state.withLock { [prepared] in $0 = prepared }
        return prepared.commit
    }
}

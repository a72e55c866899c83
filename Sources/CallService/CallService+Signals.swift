public import CallModel
import CallStore
import Signaling

extension CallService {
    /// Passes on an offer, an answer or candidates. `session` is the socket that they came by, if they came by one.
    public func signal(
        _ id: CallID,
        _ signals: [Signal],
        session: SessionID? = nil,
        by identity: Identity
    ) async throws(CallFailure) -> SignalReceipt {
        let result = await withCheckedContinuation { continuation in
            signal(id, signals, session: session, by: identity) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// As the other one, without a task that waits: `done` is told once, from any thread. Of one call, signals are passed
    /// on in the order in which they are handed over here.
    ///
    /// This is what a call consists of by number, so it goes the short way if it can: applied to the call as this node last
    /// committed it, without a look into the store, and those that come while an earlier commit of the call is on its way
    /// go into the next one together.
    public func signal(
        _ id: CallID,
        _ signals: [Signal],
        session: SessionID?,
        by identity: Identity,
        done: @escaping @Sendable (Result<SignalReceipt, CallFailure>) -> Void
    ) {
        let actor = Actor(userID: identity.userID, deviceID: identity.deviceID, session: session)
        let underway = SignalsUnderway(signals: signals, actor: actor, identity: identity, done: done)
        if lanes.enter(id, with: underway) { pass([underway], of: id) }
    }

    /// Passes signals on, in order, and leaves the lane. Called from the call's lane.
    func pass(_ all: [SignalsUnderway], of id: CallID) {
        guard let first = all.first else { return leaveLane(id) }
        let (transition, receipts) = applied(all, toRecent: id)
        guard let transition else {
            // Unknown here, refused, or not to be decided at once: the store has the last word, on one after the other.
            Task {
                await passByStore(first, of: id)
                pass(Array(all.dropFirst()), of: id)
            }
            return
        }
        let passed = all.prefix(receipts.count)
        let rest = Array(all.dropFirst(receipts.count))
        let commit = CallCommit(transition: transition, outgoing: transition.outgoing)
        store.commit(commit) { [self] result in
            switch result {
            case .success(true):
                recentCalls.remember(transition.call)
                tellAtOnce(commit) { [self] in
                    for (underway, receipt) in zip(passed, receipts) { underway.done(.success(receipt)) }
                    pass(rest, of: id)
                }
            case .success(false):
                recentCalls.forget(id)
                Task {
                    for underway in passed { await passByStore(underway, of: id) }
                    pass(rest, of: id)
                }
            case .failure(let failure):
                recentCalls.forget(id)
                let failure = reported(failure)
                for underway in passed { underway.done(.failure(failure)) }
                pass(rest, of: id)
            }
        }
    }

    /// What the call as last committed here becomes by as many of `all` as can be applied to it, and the receipts of those.
    private func applied(
        _ all: [SignalsUnderway],
        toRecent id: CallID
    ) -> (transition: CallTransition?, receipts: [SignalReceipt]) {
        guard var call = recentCalls.call(id) else { return (nil, []) }
        let now = clock()
        var whole: CallTransition?
        var receipts: [SignalReceipt] = []
        for underway in all {
            guard rooms.isMemberForSure(of: call.roomID, underway.identity),
                let transition = try? call.applying(underway.action, by: underway.actor, now: now, policy: policy)
            else { break }
            call = transition.call
            whole = whole?.followed(by: transition) ?? transition
            receipts.append(underway.receipt(call))
        }
        return (whole, receipts)
    }

    /// The long way, by load, apply and commit.
    private func passByStore(_ underway: SignalsUnderway, of id: CallID) async {
        do throws(CallFailure) {
            let authorise = member(underway.identity)
            let call = try await actInLane(underway.action, on: id, by: underway.actor, authorise: authorise).call
            underway.done(.success(underway.receipt(call)))
        } catch {
            underway.done(.failure(error))
        }
    }

    /// Tells this node's sockets what was committed and then calls `told`: at once, unless another node's events have to be
    /// read before.
    private func tellAtOnce(_ commit: CallCommit, told: @escaping @Sendable () -> Void) {
        if hub.deliver(commit.outgoing, of: commit.transition.call, after: commit.previousSequence) {
            told()
        } else {
            Task {
                await tell(commit)
                told()
            }
        }
    }
}

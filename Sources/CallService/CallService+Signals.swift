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
    /// committed it, without a look into the store, and together with all that came until it was the commit's turn.
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
    func pass(_ first: [SignalsUnderway], of id: CallID) {
        guard !first.isEmpty else { return leaveLane(id) }
        guard recentCalls.call(id) != nil else { return passByStore(first.prefix(1), of: id, then: first.dropFirst()) }
        let batch = SignalBatch(first)
        store.commit(
            isPatient: first.allSatisfy(\.isPatient),
            prepare: { [self] in batch.prepare { apply(&$0, to: id) } },
            done: { [self] in finish(batch.content, $0, of: id) }
        )
    }

    /// Applies what has come so far, in order, to the call as last committed here.
    private func apply(_ batch: inout SignalBatch.Content, to id: CallID) {
        batch.all += lanes.nextSignals(id)
        guard var call = recentCalls.call(id) else { return }
        let now = clock()
        var whole: CallTransition?
        for underway in batch.all {
            // The room of those who are in it there is told with the change, which has to be the stored one.
            guard !call.isInRoom, rooms.isMemberForSure(of: call.roomID, underway.identity),
                let transition = try? call.applying(underway.action, by: underway.actor, now: now, policy: policy)
            else { break }
            call = transition.call
            whole = whole?.followed(by: transition) ?? transition
            batch.receipts.append(underway.receipt(call))
        }
        batch.commit = whole.map { CallCommit(transition: $0, outgoing: $0.outgoing) }
    }

    /// Tells what came of a commit, and goes on with what it left.
    private func finish(_ batch: SignalBatch.Content, _ result: Result<CallCommit?, StoreFailure>, of id: CallID) {
        let passed = batch.all.prefix(batch.receipts.count)
        let rest = batch.all.dropFirst(batch.receipts.count)
        switch (result, batch.commit) {
        case (.success(let commit?), let asked?):
            recentCalls.remember(commit.transition.call)
            // Other nodes' signals came before these.
            let shift = commit.transition.call.sequence - asked.transition.call.sequence
            tellAtOnce(commit) { [self] in
                for (underway, receipt) in zip(passed, batch.receipts) {
                    underway.done(.success(receipt.renumbered(by: shift)))
                }
                passByStore(rest.prefix(1), of: id, then: rest.dropFirst())
            }
        case (.success, nil):
            // Refused, or not to be decided at once: the store has the last word.
            passByStore(rest.prefix(1), of: id, then: rest.dropFirst())
        case (.success, _?):
            recentCalls.forget(id)
            passByStore(passed, of: id, then: rest)
        case (.failure(let failure), _):
            recentCalls.forget(id)
            if batch.commit != nil { untold.note(id) }
            let failure = reported(failure)
            for underway in batch.all { underway.done(.failure(failure)) }
            leaveLane(id)
        }
    }

    /// The long way, by load, apply and commit of one after the other; then goes on with `rest`.
    private func passByStore(
        _ some: ArraySlice<SignalsUnderway>,
        of id: CallID,
        then rest: ArraySlice<SignalsUnderway>
    ) {
        guard !some.isEmpty else { return pass(Array(rest), of: id) }
        Task {
            for underway in some { await passByStore(underway, of: id) }
            pass(Array(rest), of: id)
        }
    }

    private func passByStore(_ underway: SignalsUnderway, of id: CallID) async {
        do throws(CallFailure) {
            let authorise = describingMember(underway.identity)
            let call = try await actInLane(underway.action, on: id, by: underway.actor, authorise: authorise).call
            underway.done(.success(underway.receipt(call)))
        } catch {
            underway.done(.failure(error))
        }
    }

    /// Tells this node's sockets what was committed and then calls `told`: at once, unless another node's events have to be
    /// read before.
    private func tellAtOnce(_ commit: CallCommit, told: @escaping @Sendable () -> Void) {
        let call = commit.transition.call
        if hub.deliver(commit.outgoing, of: call, after: commit.previousSequence, keepsSessions: true) {
            hub.announcer?.announce(commit.outgoing, of: call)
            told()
        } else {
            Task {
                await tell(commit)
                told()
            }
        }
    }
}

import CallModel

extension InterleavedRoom {
    /// Does the next step of an act; answers what is left of it, `nil` when it is done.
    func step(_ act: ActUnderway) -> ActUnderway? {
        guard act.attempt <= ActUnderway.attempts else {
            violate(.progress, "\(act) was applied \(ActUnderway.attempts) times in vain")
            return nil
        }
        tally.attempts = max(tally.attempts, act.attempt)
        switch act.step {
        case .place: return place(act)
        case .look: return look(act)
        case .load(let id): return load(act, id)
        case .apply(let call): return apply(act, to: call)
        }
    }

    private func again(_ act: ActUnderway, _ step: ActUnderway.Step) -> ActUnderway {
        var next = act
        next.step = step
        if case .apply = act.step { next.attempt += 1 }
        if case .look = act.step, case .place = step { next.attempt += 1 }
        return next
    }

    func finish(_ act: ActUnderway, _ outcome: ActOutcome) -> ActUnderway? {
        switch outcome {
        case .changed: tally.changes += 1
        case .unchanged: tally.successesWithoutChange += 1
        case .refused(let code): tally.refusals[code, default: 0] += 1
        }
        note("\(act): \(outcome)")
        return nil
    }

    /// Writes a new call, unless the room has one.
    private func place(_ act: ActUnderway) -> ActUnderway? {
        guard case .initiate(let wish, .success(let audience), let reachable) = act.errand else {
            return again(act, .look)
        }
        let now = now(at: act.node)
        let transition: CallTransition
        do throws(CallFailure) {
            transition = try wish.begin(
                id: CallID.random(using: &generator),
                by: act.actor,
                audience: audience,
                reachable: reachable,
                now: now,
                policy: policy
            )
        } catch {
            violate(.reference, "a call of \(act.actor.userID) cannot begin: \(error.code)")
            return nil
        }
        let isFree = reference.current == nil
        guard store.create(transition) else {
            if isFree { violate(.reference, "a free room was taken") }
            tally.note("room was taken")
            return again(act, .look)
        }
        if !isFree { violate(.reference, "a second call in the room") }
        let call = ReferenceCall(
            wish,
            by: act.actor.userID,
            device: act.actor.deviceID ?? "default",
            rings: audience,
            reachable: reachable,
            at: now.milliseconds,
            policy: policy
        )
        reference.remember(call, as: transition.call.id)
        compare(transition, with: call, before: nil)
        checkStored(transition, before: nil)
        tally.note(wish.isGroup ? "group" : "1:1")
        return finish(act, .changed)
    }

    /// Sees what call the room has: one to answer, another one, or by now none.
    private func look(_ act: ActUnderway) -> ActUnderway? {
        guard case .initiate(_, let audience, _) = act.errand else { return nil }
        let expected = reference.placement(by: act.actor.userID)
        guard let existing = store.activeCall else {
            if expected != .free { violate(.reference, "no call in the room, expected \(expected)") }
            if case .failure(let failure) = audience { return finish(act, .refused(code: failure.code)) }
            return again(act, .place)
        }
        guard let own = existing.participant(act.actor.userID), own.state.isRinging else {
            if expected != .refused("call_exists") {
                violate(.reference, "call_exists for \(act.actor.userID), expected \(expected)")
            }
            return finish(act, .refused(code: CallFailure.callExists(existing).code))
        }
        if expected != .answering(existing.id) { violate(.reference, "answering, expected \(expected)") }
        return again(act, .load(existing.id))
    }

    private func load(_ act: ActUnderway, _ id: CallID) -> ActUnderway? {
        guard let call = store.call(id) else {
            if reference.latest(id) != nil { violate(.reference, "a call was lost") }
            return finish(act, .refused(code: CallFailure.callNotFound.code))
        }
        note("\(act): loaded version \(call.version)")
        return again(act, .apply(call))
    }

    /// Applies the act to the call as it was loaded, and commits what came of it if nobody else did in between.
    private func apply(_ act: ActUnderway, to call: Call) -> ActUnderway? {
        let now = now(at: act.node)
        let result = result(of: act, on: call, now)
        let expectation = expectation(of: act, on: call, now)
        compare(result, with: expectation, act, before: call)
        let transition: CallTransition
        switch result {
        case .failure(let failure):
            if case .callEnded = failure, case .initiate = act.errand { return again(act, .place) }
            return finish(act, .refused(code: failure.code))
        case .success(let applied):
            transition = applied
        }
        guard transition.isChange else {
            noteWinner(act, in: call)
            return finish(act, .unchanged)
        }
        let stored = store.call(call.id)
        guard let written = store.commit(transition) else {
            if reference.version(of: call.id) == call.version,
                transition.onlyAppends || stored?.sequence == call.sequence
            {
                violate(.versions, "a commit was refused for nothing")
            }
            tally.conflicts += 1
            note("\(act): the call has changed, again")
            return again(act, .load(call.id))
        }
        noteWinner(act, in: written.call)
        checkStored(written, before: stored)
        guard let stored else { return finish(act, .changed) }
        let latest = self.expectation(of: act, on: stored, now)
        if written != transition { tally.note("appended after others") }
        if stored.version != call.version {
            // Only a store that checks nothing comes here.
            violate(.versions, "a commit from version \(call.version) over version \(stored.version)")
        }
        if stored != call { compare(.success(written), with: latest, act, before: stored) }
        if case .changed(let predicted) = latest {
            reference.remember(predicted, as: call.id, onlyAppends: transition.onlyAppends)
        }
        return finish(act, .changed)
    }

    private func result(of act: ActUnderway, on call: Call, _ now: Timestamp) -> Result<CallTransition, CallFailure> {
        let action: CallAction
        switch act.errand {
        case .sweep: return .success(call.advanced(to: now, policy: policy))
        case .act(let asked, _): action = asked
        case .initiate: action = .answer(description: nil)
        }
        guard call.participant(act.actor.userID) != nil else { return .failure(.forbidden) }
        return Result { () throws(CallFailure) in
            try call.applying(action, by: act.actor, now: now, policy: policy)
        }
    }

    private func expectation(
        of act: ActUnderway,
        on call: Call,
        _ now: Timestamp
    ) -> ReferenceRoom.Expectation {
        switch act.errand {
        case .sweep: reference.expectation(ofTime: now.milliseconds, on: call)
        case .act(let action, _): reference.expectation(of: action, on: call, by: act.actor, at: now.milliseconds)
        case .initiate:
            reference.expectation(of: .answer(description: nil), on: call, by: act.actor, at: now.milliseconds)
        }
    }
}

import CallModel

extension InterleavedRoom {
    /// Whether an act came out as the documents say.
    func compare(
        _ result: Result<CallTransition, CallFailure>,
        with expectation: ReferenceRoom.Expectation,
        _ act: ActUnderway,
        before: Call
    ) {
        switch (result, expectation) {
        case (.failure(let failure), .refused(let code)) where failure.code == code: return
        case (.success(let transition), .nothing) where !transition.isChange:
            if transition.call != before || !transition.events.isEmpty {
                violate(.reference, "nothing to commit, and yet a change: \(act)")
            }
        case (.success(let transition), .changed(let call)) where transition.isChange:
            compare(transition, with: call, before: before)
            if case .act(.signal(let signals), _) = act.errand, let signal = signals.first {
                let user = act.actor.userID
                if transition.call.delivers(signal, from: user) != call.delivers(signal, from: user) {
                    violate(.reference, "whether \(user)'s signal reached a socket")
                }
            }
        default:
            violate(.reference, "\(act): \(outcome(of: result)) instead of \(outcome(of: expectation))")
        }
    }

    private func outcome(of result: Result<CallTransition, CallFailure>) -> ActOutcome {
        switch result {
        case .success(let transition): transition.isChange ? .changed : .unchanged
        case .failure(let failure): .refused(code: failure.code)
        }
    }

    private func outcome(of expectation: ReferenceRoom.Expectation) -> ActOutcome {
        switch expectation {
        case .refused(let code): .refused(code: code)
        case .nothing: .unchanged
        case .changed: .changed
        }
    }

    /// Whether the call is now what the documents say, and those hear of it who are to.
    func compare(_ transition: CallTransition, with call: ReferenceCall, before: Call?) {
        let (picture, expected) = (CallPicture(transition.call), CallPicture(call))
        if picture != expected { violate(.reference, picture.differences(from: expected)) }
        let told = transition.events.map { Told($0, of: transition, before: before ?? transition.call) }
        if told != call.told { violate(.reference, "told \(told) instead of \(call.told)") }
        if transition.purgesSignals != (call.ending?.isPurged == true && before?.purgeDeadline != nil) {
            violate(.reference, "whether the signals go")
        }
        for case .joined in transition.events.map(\.kind) {
            for user in call.places.keys {
                let peers = transition.call.peers(of: user).map { ($0.userID, $0.polite) }
                if Dictionary(peers, uniquingKeysWith: { first, _ in first }) != call.peers(of: user) {
                    violate(.reference, "the peers of \(user): \(peers) instead of \(call.peers(of: user))")
                }
            }
        }
    }

    /// What holds of a commit whatever the documents say; `before` is what the store had.
    func checkStored(_ transition: CallTransition, before: Call?) {
        let call = transition.call
        if call.version != (before?.version ?? 0) + (transition.onlyAppends ? 0 : 1) {
            violate(.versions, "version \(call.version) after \(before?.version ?? 0)")
        }
        let numbers = transition.events.map(\.sequence)
        let first = (before?.sequence ?? 0) + 1
        if numbers != Array(first..<first + Int64(numbers.count)) || call.sequence != numbers.last ?? first - 1 {
            violate(.gaplessNumbers, "\(numbers) after \(first - 1) in a call of \(call.sequence)")
        }
        if let before, !transition.changesParticipants, before.participants != call.participants {
            violate(.legalState, "participants changed unnoticed")
        }
        for fault in LegalState.faults(of: call, before: before) { violate(.legalState, fault) }
        for event in transition.events { checkHolders(event, in: call) }
        if call.state == .active, before?.state != .active { tally.note("active") }
        if case .ended(let reason) = transition.events.last?.kind { tally.endReasons[reason, default: 0] += 1 }
    }

    /// By the events alone: nobody comes in twice, and into a 1:1 call nobody but one beside the creator.
    private func checkHolders(_ event: CallEvent, in call: Call) {
        guard let user = event.userID else { return }
        switch event.kind {
        case .initiated: holders[call.id] = [user]
        case .left: holders[call.id]?.remove(user)
        case .answered:
            let (isNew, _) = holders[call.id, default: []].insert(user)
            if !isNew { violate(.oneWinner, "\(user) answered and was in already") }
            let count = holders[call.id]?.count ?? 0
            if !call.isGroup, count > 2 { violate(.oneWinner, "\(count) in a 1:1 call by its events") }
            tally.note("answered")
        default: return
        }
    }

    /// Somebody is about to hear that it is in a call: in a 1:1 call that is one device of one user beside the creator.
    func noteWinner(_ act: ActUnderway, in call: Call) {
        switch act.errand {
        case .act(.answer, _): break
        case .initiate: tally.note("answered by initiating")
        case .act, .sweep: return
        }
        guard !call.isGroup, act.actor.userID != call.createdBy else { return }
        winners[call.id, default: []].insert("\(act.actor.userID) by \(act.actor.deviceID ?? "default")")
        let names = winners[call.id, default: []].sorted()
        if names.count > 1 { violate(.oneWinner, "\(names.joined(separator: " and ")) took one call") }
    }

    /// Time runs out, first for those whose sockets are there, then without any socket.
    func runOut() {
        passTime()
        for call in store.calls where violations.isEmpty {
            if call.nextDeadline != nil { violate(.ending, "a deadline is left in a call that is \(call.state)") }
            guard call.state != .ended else { continue }
            tally.note("outlived the acts")
            if call.state != .active { violate(.ending, "\(call.state) when time had run out") }
            for participant in call.present where participant.session == nil {
                violate(.ending, "\(participant.userID) is in for ever without a socket")
            }
            for participant in call.participants {
                guard let session = participant.session else { continue }
                let actor = Actor(userID: participant.userID, session: session)
                for node in skews.indices {
                    underway.append(
                        ActUnderway(node: node, actor: actor, errand: .act(.disconnect, call.id), step: .load(call.id))
                    )
                }
            }
        }
        finishAll()
        passTime()
        for call in store.calls where violations.isEmpty {
            if call.state != .ended || call.nextDeadline != nil { violate(.ending, "\(call.state) without any socket") }
            if store.purges[call.id] != 1 { violate(.ending, "signals purged \(store.purges[call.id] ?? 0) times") }
            let numbers = store.events[call.id, default: []].map(\.sequence)
            if numbers != Array(1...call.sequence) { violate(.gaplessNumbers, "\(numbers)") }
        }
    }

    private func passTime() {
        for _ in 0..<6 where violations.isEmpty {
            time += 100_000
            sweep(skews.indices)
            finishAll()
        }
    }
}

public import CallModel
public import SocketIO

/// What a joining session is sent of the past.
public enum Replay {
    /// A resuming session's share of `events`: everything that was for it, in order.
    ///
    /// `events` begin after the last one that it received. What happened before its session first joined was not for it,
    /// but for signals that had been kept.
    public static func missed(
        _ events: [OutgoingEvent],
        by user: UserID,
        sessionBegan: Int64,
        in call: Call
    ) throws(CallFailure) -> [OutgoingEvent] {
        let share = events.filter { event in
            guard event.isFor(user, in: call) else { return false }
            return event.sequence > sessionBegan || event.signalKind != nil || event.scope != .joined
        }
        var size = 0
        for event in share { size += event.payload.utf8.count }
        guard size <= CallLimits.replaySize else { throw .resyncRequired }
        return share
    }

    /// A fresh session's share of `events`, the call's whole past: each peer's newest offer or answer, with the
    /// candidates that followed it.
    ///
    /// An answer that a peer gave to an earlier session of the same user means nothing to the new one, which has not
    /// made the offer: `answersAfter` is where that earlier session began, or 0.
    public static func kept(
        _ events: [OutgoingEvent],
        for user: UserID,
        answersAfter earlierSession: Int64,
        in call: Call
    ) -> [OutgoingEvent] {
        let present = Set(call.present.map(\.userID))
        let signals = events.filter { event in
            event.signalKind != nil && event.isFor(user, in: call)
                && (event.sender.map { present.contains($0) } ?? false)
        }
        var newest: [UserID: OutgoingEvent] = [:]
        for event in signals where event.signalKind?.isDescription == true {
            if let sender = event.sender { newest[sender] = event }
        }
        let share = signals.filter { event in
            guard let sender = event.sender, let description = newest[sender] else { return earlierSession == 0 }
            let isStale = description.signalKind == .answer && earlierSession > 0
            return !isStale && event.sequence >= description.sequence
        }
        return newestCandidates(in: share)
    }

    /// `events` without each sender's oldest candidates beyond `CallLimits.keptCandidatesSize`: nobody may make the
    /// others' joins so large that they are cut for not taking them up.
    private static func newestCandidates(in events: [OutgoingEvent]) -> [OutgoingEvent] {
        var sizes: [UserID: Int] = [:]
        let newestFirst = events.reversed().filter { event in
            guard event.signalKind == .candidate, let sender = event.sender else { return true }
            sizes[sender, default: 0] += event.payload.utf8.count
            return sizes[sender, default: 0] <= CallLimits.keptCandidatesSize
        }
        return newestFirst.reversed()
    }
}

extension OutgoingEvent {
    /// Which signal it carries, if it carries one.
    public var signalKind: SignalKind? { SignalKind(eventName: name) }

    /// Whether a joined socket of `user` is to hear it.
    public func isFor(_ user: UserID, in call: Call) -> Bool {
        switch scope {
        case .audience: true
        case .invited: user != call.createdBy
        case .joined: user != sender && (recipient == nil || recipient == user)
        case .joinedAndOwn: true
        }
    }

    /// The payload as JSON to emit. `CallEvent.outgoing(in:)` wrote it.
    public var json: JSONText { JSONText(wellFormed: payload) }

    /// `{event, data}`, as it stands in `missed`.
    public var replayJSON: JSONText { .object([("event", .string(name)), ("data", json)]) }
}

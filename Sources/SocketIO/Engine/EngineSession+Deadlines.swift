public import NetPrimitives

extension EngineSession {
    /// When `advance` has something to do next; nil if never.
    public var nextDeadline: Instant? {
        switch phase {
        case .closed: nil
        case .closing(let until), .departed(let until): until
        case .open: min(heartbeat.instant, candidate?.nextDeadline ?? heartbeat.instant)
        }
    }

    /// Does what is due at `now`.
    public mutating func advance(to now: Instant, into effects: inout [EngineEffect]) {
        switch phase {
        case .closed: break
        case .closing(let until), .departed(let until):
            if until <= now { forget(into: &effects) }
        case .open:
            advanceCandidate(to: now, into: &effects)
            advanceHeartbeat(to: now, into: &effects)
        }
    }

    private mutating func advanceCandidate(to now: Instant, into effects: inout [EngineEffect]) {
        guard let current = candidate else { return }
        if current.until <= now {
            dismissCandidate(into: &effects)
        } else if let releaseAt = current.releaseAt, releaseAt <= now {
            candidate?.releaseAt = nil
            releasePoll(into: &effects)
        }
    }

    private mutating func advanceHeartbeat(to now: Instant, into effects: inout [EngineEffect]) {
        if case .pingDue(let due) = heartbeat, due <= now {
            enqueue(.ping)
            heartbeat = .pongDue(pongDeadline(pingDue: due, now: now))
        }
        if case .pongDue(let due) = heartbeat, due <= now {
            // A pong cannot be heard while we do not read.
            if isBacklogged {
                heartbeat = .pongDue(now.adding(configuration.pingTimeout))
            } else {
                fail(.pingTimeout, into: &effects)
            }
        }
    }

    /// Counted from when the ping was due, so that late timers do not add up, but never so short that a client pays for a
    /// process that was held up.
    private func pongDeadline(pingDue due: Instant, now: Instant) -> Instant {
        max(due.adding(configuration.pingTimeout), now.adding(configuration.pingTimeout / 4))
    }
}

extension EngineSession.Heartbeat {
    var instant: Instant {
        switch self {
        case .pingDue(let due), .pongDue(let due): due
        }
    }
}

extension EngineSession.Candidate {
    var nextDeadline: Instant { min(until, releaseAt ?? until) }
}

public import CallModel
import CallStore
import Signaling

extension CallService {
    /// Calls handled in one look at the deadlines.
    static let sweepLimit = 256

    /// Looks in one sweep: rows that cannot be advanced must not keep it from ever ending.
    static let sweepRounds = 16

    /// Sweeps until cancelled, every `interval`.
    public func runDeadlines(every interval: Duration = .milliseconds(250)) async {
        while !Task.isCancelled {
            await sweep()
            do {
                try await Task.sleep(for: interval)
            } catch {
                return
            }
        }
    }

    /// Acts on every deadline that is due, and renews credentials that are about to end.
    public func sweep() async {
        await writeLosses()
        await tellUntold()
        await giveBackKeys()
        do throws(CallFailure) {
            for _ in 0..<Self.sweepRounds {
                let due = try await stored { () async throws(StoreFailure) in
                    try await self.store.callsDue(at: self.clock(), limit: Self.sweepLimit)
                }
                for id in due { await advance(id) }
                if due.count < Self.sweepLimit || Task.isCancelled { break }
            }
        } catch {
            // `stored` has logged it; the next sweep finds the same rows.
        }
        await renewCredentials(at: clock())
    }

    private func advance(_ id: CallID) async {
        do throws(CallFailure) {
            let clock = clock
            let policy = policy
            _ = try await inLane(id) { () async throws(CallFailure) in
                try await self.commit(id, apply: { $0.advanced(to: clock(), policy: policy) })
            }
        } catch {
            log(.actRefused(call: id, code: error.code))
        }
    }

    func renewCredentials(at time: Timestamp) async {
        for session in hub.sessionsNeedingCredentials(at: time) {
            do throws(CallFailure) {
                let call = try await stored { () async throws(StoreFailure) in try await self.store.call(session.call) }
                guard let call, call.state != .ended else { continue }
                hub.renewCredentials(iceServers(for: session.user, in: call), for: session.socket, in: session.call)
            } catch {
                continue
            }
        }
    }

    /// After a start of the only node: nobody's socket has survived it, so every place in a call is on its grace.
    ///
    /// Not to be called while another node works on the same store.
    public func recoverSessions() async throws(CallFailure) {
        let ids = try await stored { () async throws(StoreFailure) in try await self.store.callsWithSessions() }
        for id in ids {
            guard let call = try await stored({ () async throws(StoreFailure) in try await self.store.call(id) }) else {
                continue
            }
            for participant in call.participants {
                guard let session = participant.session, participant.roomParty == nil else { continue }
                _ = try await act(.disconnect, on: id, by: Actor(userID: participant.userID, session: session))
            }
        }
    }
}

public import CallModel
import CallStore
import Locking
import Signaling

/// Calls that have to be looked at, each once however often it was asked for.
final class CatchUps: Sendable {
    /// With the newest event that somebody spoke of.
    private let waiting = Locked<[CallID: Int64]>([:])

    /// Whether it is to be begun: it is, unless it waits already.
    func begin(_ id: CallID, _ sequence: Int64) -> Bool {
        waiting.withLock { waiting in
            let earlier = waiting.updateValue(max(sequence, waiting[id] ?? 0), forKey: id)
            return earlier == nil
        }
    }

    /// It is being looked at now: whoever asks from here on asks for another look. Answers the newest event that somebody
    /// spoke of.
    func begun(_ id: CallID) -> Int64 { waiting.withLock { $0.removeValue(forKey: id) ?? .max } }
}

extension CallService {
    /// Calls in one question about what is new.
    static let catchUpLimit = 1_000

    /// Somebody says that there is something new of a call, up to an event of this name and number if they were named,
    /// which may be true. Returns at once.
    public func hint(_ id: CallID, _ event: String? = nil, upTo sequence: Int64 = .max) {
        guard !isTold(id, upTo: sequence) else { return }
        // Who only relays for a call waits for its end.
        if let event, SignalKind(eventName: event) != nil, hub.cursor(of: id) == nil { return }
        guard catchUps.begin(id, sequence) else { return }
        Task {
            do throws(CallFailure) {
                try await inLane(id) { () async throws(CallFailure) in
                    let newest = self.catchUps.begun(id)
                    // What this node committed meanwhile may have brought it along.
                    if !self.isTold(id, upTo: newest) { try await self.catchUp(id) }
                }
            } catch {
                // `stored` has logged it. Who looks regularly finds the call again.
                _ = catchUps.begun(id)
            }
        }
    }

    /// Whether this node's sockets have been told of a call's events up to this one: then it knows the call, too.
    private func isTold(_ id: CallID, upTo sequence: Int64) -> Bool {
        hub.cursor(of: id).map { $0 >= sequence } ?? false
    }

    /// Tells this node's sockets what of a call other nodes committed. Called from the call's lane.
    func catchUp(_ id: CallID) async throws(CallFailure) {
        guard let call = try await stored({ () async throws(StoreFailure) in try await self.store.call(id) }) else {
            return
        }
        recentCalls.remember(call)
        if let cursor = hub.cursor(of: id), cursor < call.sequence {
            let events = try await stored { () async throws(StoreFailure) in
                try await self.store.outgoingEvents(of: id, after: cursor)
            }
            // What came since the call was read is told with the call as it is then.
            _ = hub.deliver(events.filter { $0.sequence <= call.sequence }, of: call, after: cursor)
        }
        if call.state == .ended {
            mediaRelay?.callEnded(id)
            hub.forgetWatch(id)
        } else {
            try await ringHere(call)
        }
    }

    /// Rings for those of a call's audience who have sockets here that were not told.
    private func ringHere(_ call: Call) async throws(CallFailure) {
        for participant in call.participants where participant.state.isRinging {
            let sockets = hub.untold(of: call.id, user: participant.userID)
            guard !sockets.isEmpty else { continue }
            let actor = Actor(userID: participant.userID)
            let rung = try await actInLane(.ring, on: call.id, by: actor, authorise: { _ in }).call
            guard rung.participant(participant.userID)?.state == .ringing else { continue }
            for socket in sockets { hub.tell(socket, of: rung) }
        }
    }

    /// Tells every session here of relays anew: some that they were told of are gone, or will be.
    public func renewAllCredentials() async {
        await renewCredentials(at: Timestamp(milliseconds: 4_102_444_800_000))
    }

    /// Looks for whatever this node's sockets were not told: all the same whether a hint was lost, or nobody gave one.
    public func catchUpAll() async throws(CallFailure) {
        let (cursors, users) = hub.interests
        for chunk in Self.chunks(Array(cursors.keys)) {
            let sequences = try await stored { () async throws(StoreFailure) in
                try await self.store.sequences(of: chunk)
            }
            for (id, sequence) in sequences where sequence > cursors[id] ?? .max { hint(id) }
        }
        for chunk in Self.chunks(users) {
            let ringing = try await stored { () async throws(StoreFailure) in
                try await self.store.callsRinging(for: chunk)
            }
            for id in ringing where cursors[id] == nil { hint(id) }
        }
    }

    /// The same for one user, whose sockets may have missed a hint before there was anybody to hear it.
    public func catchUp(user: UserID) async {
        do throws(CallFailure) {
            let ringing = try await stored { () async throws(StoreFailure) in
                try await self.store.callsRinging(for: [user])
            }
            for id in ringing { hint(id) }
        } catch {
            // Logged by `stored`; the next look at all finds them.
        }
    }

    private static func chunks<Element>(_ elements: [Element]) -> [[Element]] {
        stride(from: 0, to: elements.count, by: catchUpLimit).map { start in
            Array(elements[start..<min(start + catchUpLimit, elements.count)])
        }
    }
}

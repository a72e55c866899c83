public import CallModel
import CallStore
import Locking
import Signaling

/// Calls that have to be looked at, each once however often it was asked for.
final class CatchUps: Sendable {
    private let waiting = Locked<Set<CallID>>([])

    /// Whether it is to be begun: it is, unless it waits already.
    func begin(_ id: CallID) -> Bool { waiting.withLock { $0.insert(id).inserted } }

    /// It is being looked at now: whoever asks from here on asks for another look.
    func begun(_ id: CallID) { waiting.withLock { _ = $0.remove(id) } }
}

extension CallService {
    /// Calls in one question about what is new.
    static let catchUpLimit = 1_000

    /// Somebody says that there is something new of a call, which may be true. Returns at once.
    public func hint(_ id: CallID) {
        guard catchUps.begin(id) else { return }
        Task {
            do throws(CallFailure) {
                try await inLane(id) { () async throws(CallFailure) in
                    self.catchUps.begun(id)
                    try await self.catchUp(id)
                }
            } catch {
                // `stored` has logged it. Who looks regularly finds the call again.
                catchUps.begun(id)
            }
        }
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
            _ = hub.deliver(events, of: call, after: cursor)
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

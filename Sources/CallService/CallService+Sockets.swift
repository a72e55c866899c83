public import CallModel
import CallStore
import Signaling

extension CallService {
    /// A socket of the user is in: it hears of its rooms and of every call that rings for the user.
    public func connected(_ socket: any CallSocket, rooms: [String], as identity: Identity) async {
        hub.connect(socket, user: identity.userID, rooms: rooms)
        do throws(CallFailure) {
            let calls = try await stored { () async throws(StoreFailure) in
                try await self.store.activeCalls(of: identity.userID, limit: CallLimits.activeCallsShown)
            }
            for call in calls where call.participant(identity.userID)?.state.isRinging == true {
                do throws(CallFailure) {
                    // Whoever has left the room meanwhile must not know of it.
                    try await self.rooms.requireMember(of: call.roomID, identity)
                } catch .notInRoom {
                    continue
                }
                try await ring(call.id, on: socket, identity)
            }
        } catch {
            log(.storeFailed(operation: "ring on connect", reason: error.code))
        }
    }

    private func ring(_ id: CallID, on socket: any CallSocket, _ identity: Identity) async throws(CallFailure) {
        try await inLane(id) { () async throws(CallFailure) in
            let actor = Actor(userID: identity.userID, deviceID: identity.deviceID)
            let call = try await self.actInLane(.ring, on: id, by: actor, authorise: { _ in }).call
            // It may have stopped ringing while the lane was waited for.
            if call.participant(identity.userID)?.state == .ringing { self.hub.tell(socket.id, of: call) }
        }
    }

    /// Joins a call by a socket. After the answer has been sent to the client, call `acknowledgedJoin`: what the client
    /// is to hear next waits for that.
    public func joinCall(
        _ id: CallID,
        device: DeviceID?,
        after: Int64?,
        socket: any CallSocket,
        by identity: Identity
    ) async throws(CallFailure) -> JoinOutcome {
        let actor = Actor(userID: identity.userID, deviceID: device ?? identity.deviceID, session: socket.id)
        return try await inLane(id) { () async throws(CallFailure) in
            let before = try await self.status(id, by: identity)
            let earlier = before.participant(actor.userID)?.sessionSequence ?? 0
            // Read before the commit: a resume that cannot be complete must change nothing.
            var past = try await self.outgoingEvents(id, after: after)
            if after != nil {
                _ = try Replay.missed(past, by: actor.userID, sessionBegan: earlier, in: before)
            }
            let transition = try await self.actInLane(.join(after: after), on: id, by: actor, authorise: { _ in })
            let call = transition.call
            // Another node's events since then are of the past too: what comes after the join is told live.
            let joinedAfter = call.sequence - Int64(transition.events.count)
            if joinedAfter != before.sequence {
                past = try await self.outgoingEvents(id, after: after).filter { $0.sequence <= joinedAfter }
            }
            let missed =
                after == nil ? [] : try Replay.missed(past, by: actor.userID, sessionBegan: earlier, in: call)
            let anew = after == nil ? try await self.roomSides(of: call, anewFor: actor.userID) : []
            // What those said before whom it is to make an offer now means nothing any more.
            let kept =
                after == nil
                ? Replay.kept(past, for: actor.userID, answersAfter: earlier, in: call)
                    .filter { event in !anew.contains { $0.userID == event.sender } } : []
            let ice = self.iceServers(for: actor.userID, in: call)
            self.hub.join(socket.id, call, kept: kept, ice: ice)
            await self.rejoin(anew, of: call)
            return JoinOutcome(call: call, ice: ice, peers: call.peers(of: actor.userID), missed: missed)
        }
    }

    private func outgoingEvents(_ id: CallID, after: Int64?) async throws(CallFailure) -> [OutgoingEvent] {
        let events = try await stored { () async throws(StoreFailure) in
            try await self.store.outgoingEvents(of: id, after: after ?? 0)
        }
        // As many as are kept: there may have been more, and a resume must be complete.
        if after != nil, events.count >= CallLimits.keptEvents { throw .resyncRequired }
        return events
    }

    /// The answer to `join-call` is on its way: kept signals and whatever happened since follow.
    public func acknowledgedJoin(_ id: CallID, socket: any CallSocket) {
        hub.open(id, for: socket.id)
    }

    /// Leaves a call; it may go on without.
    public func leaveCall(_ id: CallID, session: SessionID?, by identity: Identity) async throws(CallFailure) -> Call {
        let actor = Actor(userID: identity.userID, deviceID: identity.deviceID, session: session)
        return try await act(.leave, on: id, by: actor).call
    }

    /// Leaves every call that a socket has joined.
    public func leaveCalls(session: SessionID, by identity: Identity) async {
        for attendance in hub.attendances where attendance.socket == session {
            do throws(CallFailure) {
                _ = try await leaveCall(attendance.call, session: session, by: identity)
            } catch {
                // Told of it, and not in it; or a store that was logged, and then the time of grace ends it.
                continue
            }
        }
    }

    /// A socket is gone: its user keeps the place in each of its calls for the time of grace.
    public func disconnected(_ socket: SessionID) async {
        guard let member = hub.disconnect(socket) else { return }
        for id in member.calls.sorted(by: { $0.rawValue < $1.rawValue }) {
            do throws(CallFailure) {
                _ = try await act(.disconnect, on: id, by: Actor(userID: member.userID, session: socket))
            } catch {
                // No deadline would ever end a session that the store still believes to be there.
                if error == .storeUnavailable { hub.noteUnwrittenLoss(of: socket, member.userID, in: id) }
                log(.actRefused(call: id, code: error.code))
            }
        }
    }

    /// Tells the store of sessions that ended while it could not be written to.
    func writeLosses() async {
        for loss in hub.unwrittenLosses {
            do throws(CallFailure) {
                _ = try await act(.disconnect, on: loss.call, by: Actor(userID: loss.user, session: loss.socket))
            } catch .storeUnavailable {
                return
            } catch {
                log(.actRefused(call: loss.call, code: error.code))
            }
            hub.forgetLoss(of: loss.socket, in: loss.call)
        }
    }
}

public import CallModel
public import CallStore
import Signaling

extension CallService {
    /// Parts in calls that are looked at at the same time.
    private static let looks = 16

    /// Ends the part of everybody with a socket here who is not in the call's room any more, and lets the call ring no longer
    /// for those whom it rings for. `identity` tells who is behind a session.
    public func expelLeavers(_ identity: @escaping @Sendable (SessionID) -> Identity?) async {
        let attendances = hub.attendances
        await withTaskGroup(of: Void.self) { group in
            for (number, attendance) in attendances.enumerated() {
                if number >= Self.looks { await group.next() }
                guard let identity = identity(attendance.socket) else { continue }
                group.addTask { await self.expel(identity, ifGoneFrom: attendance.call) }
            }
        }
    }

    /// Somebody came into a room or left it: whoever left loses the place in its call.
    public func moved(_ user: UserID, in roomID: String) async {
        do throws(CallFailure) {
            let call = try await stored { () async throws(StoreFailure) in
                try await self.store.activeCall(inRoom: roomID)
            }
            guard let call, call.participant(user) != nil else { return }
            await expel(Identity(userID: user), ifGoneFrom: call.id)
        } catch {
            // Logged by `stored`; the next look finds who is gone.
        }
    }

    /// Writes into the audit of a call what its room was never told; whether it is there now, or can never be.
    public func noteUndeliverable(_ event: UndeliverableRoomEvent) async -> Bool {
        let call = event.place.callID
        let action = CallAction.roomEventUndelivered(type: event.type, reason: event.reason)
        do throws(CallFailure) {
            _ = try await act(action, on: call, by: Actor(userID: event.sender))
        } catch {
            if error == .storeUnavailable { return false }
            log(.actRefused(call: call, code: error.code))
        }
        log(.roomEventUndelivered(event))
        return true
    }

    private func expel(_ identity: Identity, ifGoneFrom id: CallID) async {
        do throws(CallFailure) {
            var known = recentCalls.call(id)
            if known == nil {
                known = try await stored { () async throws(StoreFailure) in try await self.store.call(id) }
            }
            guard let call = known, call.state != .ended else { return }
            do throws(CallFailure) {
                return try await rooms.requireMember(of: call.roomID, identity)
            } catch {
                // Anything else says nothing of who is in the room.
                guard error == .notInRoom else { return }
            }
            let actor = Actor(userID: identity.userID)
            let isRinging = call.participant(identity.userID)?.state.isRinging == true
            let transition = try await act(isRinging ? .reject(nil) : .leave, on: id, by: actor)
            if transition.isChange { log(.memberExpelled(call: id)) }
        } catch {
            // Whoever was not of the call, or a store that was logged: the next look finds what is left.
        }
    }
}

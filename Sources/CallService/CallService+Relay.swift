public import CallModel
public import CallStore
import Signaling

// What the relay has to tell about calls. It knows a call by its id and a participant by the tag in its credential;
// whoever knows both worlds turns the tag into a user.
extension CallService {
    /// Whom a call is for; `nil` for a call that is not there.
    public func audience(of id: CallID) async throws(CallFailure) -> [UserID]? {
        try await stored { () async throws(StoreFailure) in try await self.store.call(id) }?.participants.map(\.userID)
    }

    /// A participant has a relay allocation. If the audit is to tell of it, it says so now, and the participant shows
    /// relay use from now on. After a failure of the store this may be asked again.
    public func relayAllocated(
        _ id: CallID,
        by user: UserID,
        isAudited: Bool = true
    ) async throws(CallFailure) {
        let call: Call?
        if isAudited {
            // First what may be done twice: were it to fail after the act, asking again would repeat the act.
            try await addRelayUse([CallRelayUse(callID: id, userID: user, use: RelayUse())])
            call = try await act(.relayAllocated, on: id, by: Actor(userID: user)).call
        } else {
            call = try await stored { () async throws(StoreFailure) in try await self.store.call(id) }
        }
        // It was opened while its call ended, or with a credential that the relay did not know to refuse.
        if call?.state == .ended { mediaRelay?.callEnded(id) }
        if let call { hub.watch(call) }
    }

    /// A participant's relay allocation is gone, having carried this much.
    public func relayReleased(_ id: CallID, by user: UserID, _ end: RelayEnd, use: RelayUse) async throws(CallFailure) {
        _ = try await act(.relayReleased(end, bytes: use.total), on: id, by: Actor(userID: user))
        hub.unwatch(id)
    }

    /// Adds to what the relay carried for participants.
    public func addRelayUse(_ uses: [CallRelayUse]) async throws(CallFailure) {
        try await stored { () async throws(StoreFailure) in try await self.store.addRelayUse(uses) }
    }
}

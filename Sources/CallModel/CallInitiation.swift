/// A wish to place a call, checked in form by whoever decoded it.
public struct CallInitiation: Hashable, Sendable {
    /// The room that it belongs to.
    public var roomID: String
    /// Voice or video.
    public var callType: CallType
    /// Whether more than two may take part.
    public var isGroup: Bool
    /// Whether relayed candidates only are to be used.
    public var isRelayOnly: Bool
    /// Whom it rings for, as the caller named them; `nil` rings for the room.
    public var invitees: [UserID]?
    /// The offer, if the caller has one already.
    public var offer: Signal?

    /// Names what is wished.
    public init(
        roomID: String,
        callType: CallType = .voice,
        isGroup: Bool = false,
        isRelayOnly: Bool = false,
        invitees: [UserID]? = nil,
        offer: Signal? = nil
    ) {
        self.roomID = roomID
        self.callType = callType
        self.isGroup = isGroup
        self.isRelayOnly = isRelayOnly
        self.invitees = invitees
        self.offer = offer
    }

    /// Whom the call rings for: those named, or the other members of the room. Nobody twice, the caller never.
    public func audience(
        of creator: UserID,
        roomMembers: [UserID],
        policy: CallPolicy
    ) throws(CallFailure) -> [UserID] {
        var seen: Set<UserID> = [creator]
        let others = (invitees ?? roomMembers).filter { seen.insert($0).inserted }
        if invitees == nil {
            guard others.count <= policy.maximumParticipants else {
                throw .nameInvitees(limit: policy.maximumParticipants)
            }
        } else {
            guard others.count <= CallLimits.invitees else { throw .tooManyInvitees(limit: CallLimits.invitees) }
        }
        return others
    }

    /// The call's first state. Those in `reachable` have a device that is about to be told, so they count as ringing.
    public func begin(
        id: CallID,
        by actor: Actor,
        audience: [UserID],
        reachable: Set<UserID>,
        now: Timestamp,
        policy: CallPolicy
    ) throws(CallFailure) -> CallTransition {
        if let recipient = offer?.to {
            guard audience.contains(recipient) else { throw .unknownRecipient }
        }
        let withVideo = callType == .video
        let creator = Participant(
            userID: actor.userID,
            deviceID: actor.deviceID ?? "default",
            state: .joined,
            videoEnabled: withVideo,
            joinedAt: now
        )
        let others = audience.map {
            Participant(userID: $0, state: reachable.contains($0) ? .ringing : .invited, videoEnabled: withVideo)
        }
        let call = Call(
            id: id,
            roomID: roomID,
            callType: callType,
            isGroup: isGroup,
            isRelayOnly: isRelayOnly,
            state: .ringing,
            createdBy: actor.userID,
            createdAt: now,
            sequence: 0,
            version: 0,
            participants: [creator] + others,
            ringDeadline: now.advanced(byMilliseconds: policy.ringTimeout)
        )
        var machine = CallMachine(call: call, actor: actor, now: now, policy: policy)
        machine.emit(.initiated, by: actor.userID, device: creator.deviceID)
        if let offer { machine.emit(.signal(offer), by: actor.userID, device: creator.deviceID) }
        return machine.transition(from: 0)
    }
}

public import CallModel
import CallStore
import RoomEvents
import Signaling

extension CallService {
    /// How often a room may be taken and free again while a call is placed in it.
    private static let initiations = 32

    /// Places a call, under `id` if one is given. If the room's call rings for the user, this answers it instead (`isNew` is
    /// false then, and an offer sent along is dropped: whoever placed the call makes it). Any other call in the room is
    /// `callExists`.
    public func initiate(
        _ initiation: CallInitiation,
        as id: CallID? = nil,
        device: DeviceID?,
        by identity: Identity
    ) async throws(CallFailure) -> CallAdmission {
        try await rooms.requireMember(of: initiation.roomID, identity)
        let actor = Actor(userID: identity.userID, deviceID: device ?? identity.deviceID)
        let terms: Result<Terms, CallFailure>
        do throws(CallFailure) {
            terms = .success(try await self.terms(of: initiation, identity))
        } catch {
            switch error {
            case .homeserverUnavailable, .membershipUnknown, .tokenRejected: throw error
            default: terms = .failure(error)
            }
        }
        for _ in 0..<Self.initiations {
            // Whom a new call could not ring for is no matter to whoever answers the room's call by this.
            if case .success(let terms) = terms,
                let call = try await place(initiation, as: id, on: terms, by: actor)
            {
                return admission(to: call, of: actor.userID, terms.announcement)
            }
            let existing = try await stored { () async throws(StoreFailure) in
                try await self.store.activeCall(inRoom: initiation.roomID)
            }
            guard let existing else {
                // Ended since: the room is free again.
                _ = try terms.get()
                continue
            }
            if existing.id == id {
                // An earlier try's, whose answer was lost.
                return admission(to: existing, of: actor.userID, try? terms.get().announcement)
            }
            if existing.isOfRoomAlone, existing.roomSides.contains(where: { $0.userID == actor.userID }) {
                // Whoever starts another one here is not in that one any more.
                try await endInPassing(existing)
                continue
            }
            guard let own = existing.participant(actor.userID), own.state.isRinging,
                existing.isGroup || existing.state == .ringing
            else { throw .callExists(existing) }
            do {
                return try await answer(existing.id, description: nil, device: device, by: identity)
            } catch .callEnded {
                continue
            }
        }
        throw .storeUnavailable
    }

    /// The answer to whoever placed a call.
    func admission(to call: Call, of user: UserID, _ announcement: RoomAnnouncement?) -> CallAdmission {
        var admission = CallAdmission(call: call, ice: iceServers(for: user, in: call), isNew: true)
        if announcement == .byClient {
            var generator = SystemRandomNumberGenerator()
            admission.invitation = call.invitation(policy: policy, using: &generator)
        }
        return admission
    }

    /// What a new call depends on, besides what it is asked to be.
    struct Terms {
        /// Whom it is for.
        let audience: [UserID]
        /// What its room may be told.
        let announcement: RoomAnnouncement
    }

    /// The terms of a new call, if the user may start one.
    func terms(of initiation: CallInitiation, _ identity: Identity) async throws(CallFailure) -> Terms {
        try await rooms.requireMayStart(in: initiation.roomID, identity)
        let announcement = try await rooms.announcement(in: initiation.roomID, identity)
        let isOpen = initiation.invitees == nil
        let members = isOpen ? try await rooms.members(of: initiation.roomID, asking: identity) : []
        let audience = try initiation.audience(of: identity.userID, roomMembers: members, policy: policy)
        if !isOpen { try await rooms.requireInvitable(audience, to: initiation.roomID, asking: identity) }
        return Terms(audience: audience, announcement: announcement)
    }

    /// Writes a new call and rings; `nil` if the room has one. Whoever calls by a session is in it from the beginning.
    func place(
        _ initiation: CallInitiation,
        as id: CallID?,
        on terms: Terms,
        by actor: Actor
    ) async throws(CallFailure) -> Call? {
        var generator = SystemRandomNumberGenerator()
        let id = id ?? CallID.random(using: &generator)
        return try await inLane(id) { () async throws(CallFailure) in
            var transition = try initiation.begin(
                id: id,
                by: actor,
                audience: terms.audience,
                reachable: self.hub.reachable(terms.audience),
                now: self.clock(),
                policy: self.policy
            )
            if actor.session != nil {
                transition = try transition.then(.join(after: nil), by: actor, now: self.clock(), policy: self.policy)
            }
            let commit = self.commit(of: transition, announcing: terms.announcement)
            let outcome = try await self.written(commit) { () async throws(StoreFailure) in
                try await self.store.create(commit)
            }
            guard outcome == .created else { return nil }
            self.ring(for: commit)
            await self.tell(commit)
            return transition.call
        }
    }

    /// Takes a call; with the answer to an early offer, if the client has made it already.
    public func answer(
        _ id: CallID,
        description: Signal?,
        device: DeviceID?,
        by identity: Identity
    ) async throws(CallFailure) -> CallAdmission {
        let actor = Actor(userID: identity.userID, deviceID: device ?? identity.deviceID)
        let call = try await act(.answer(description: description), on: id, by: actor, authorise: member(identity)).call
        return CallAdmission(call: call, ice: iceServers(for: actor.userID, in: call), isNew: false)
    }

    /// Says no. Idempotent: too late, it changes nothing and answers with the call as it is.
    public func reject(_ id: CallID, reason: EndReason?, by identity: Identity) async throws(CallFailure) -> Call {
        let actor = Actor(userID: identity.userID, deviceID: identity.deviceID)
        return try await act(.reject(reason), on: id, by: actor, authorise: member(identity)).call
    }

    /// Cancels, rejects, hangs up or leaves, by who asks and how far the call is. Idempotent.
    public func end(_ id: CallID, reason: EndReason?, by identity: Identity) async throws(CallFailure) -> Call {
        let actor = Actor(userID: identity.userID, deviceID: identity.deviceID)
        return try await act(.end(reason), on: id, by: actor, authorise: member(identity)).call
    }

    /// Switches the microphone; answers with the participant.
    public func toggleAudio(
        _ id: CallID,
        enabled: Bool,
        session: SessionID? = nil,
        by identity: Identity
    ) async throws(CallFailure) -> Participant {
        try await change(.toggleAudio(enabled), id, session, identity)
    }

    /// Switches the camera; answers with the participant.
    public func toggleVideo(
        _ id: CallID,
        enabled: Bool,
        session: SessionID? = nil,
        by identity: Identity
    ) async throws(CallFailure) -> Participant {
        try await change(.toggleVideo(enabled), id, session, identity)
    }

    /// Hold, screen share, another call type; answers with the participant.
    public func changeMedia(
        _ id: CallID,
        _ state: MediaState,
        session: SessionID? = nil,
        by identity: Identity
    ) async throws(CallFailure) -> Participant {
        try await change(.changeMedia(state), id, session, identity)
    }

    private func change(
        _ action: CallAction,
        _ id: CallID,
        _ session: SessionID?,
        _ identity: Identity
    ) async throws(CallFailure) -> Participant {
        let actor = Actor(userID: identity.userID, deviceID: identity.deviceID, session: session)
        let call = try await act(action, on: id, by: actor, authorise: describingMember(identity)).call
        guard let participant = call.participant(identity.userID) else { throw .forbidden }
        return participant
    }

    /// The same check for acts that somebody in the room hears of in terms of what the user sends.
    func describingMember(_ identity: Identity) -> (Call) async throws(CallFailure) -> Void {
        let isMember = member(identity)
        return { (call) async throws(CallFailure) in
            try await isMember(call)
            try await self.learnStreams(in: call)
        }
    }

    /// The check that the user may still act in the call's room.
    func member(_ identity: Identity) -> (Call) async throws(CallFailure) -> Void {
        { [rooms] (call) async throws(CallFailure) in try await rooms.requireMember(of: call.roomID, identity) }
    }
}

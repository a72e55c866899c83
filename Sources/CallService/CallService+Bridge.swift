public import CallModel
import CallStore
import Locking
public import RoomEvents
import Signaling
import SocketIO

// A call whose one side is in the room: a client of the homeserver that knows nothing of this server, and says what it has to say in
// events of the room. What this server says to it are events of the room, too, written with each change of the call.
extension CallService {
    /// Takes what somebody said of a call in its room. Who it was is the homeserver's word; that it is somebody of the call, and the
    /// device that is in it, is looked at here. What means nothing is passed over.
    public func hear(
        _ said: RoomCallEvent,
        from user: UserID,
        in roomID: String,
        age: Int64 = 0
    ) async throws(CallFailure) {
        // What this server said itself comes back, too.
        guard !CallParty.isOwn(said.partyID), let id = CallID(said.callID) else { return }
        let known = try await stored { () async throws(StoreFailure) in try await self.store.call(id) }
        if known == nil, case .invite(let offer, let isVideo, let invitee, let lifetime) = said.kind, age < lifetime {
            let initiation = CallInitiation(
                roomID: roomID,
                callType: isVideo ? .video : .voice,
                invitees: invitee.map { [$0] },
                offer: Signal(kind: .offer, to: nil, payload: offer.text)
            )
            return try await ring(initiation, as: id, from: user, party: said.partyID)
        }
        guard let call = known, call.roomID == roomID, call.state != .ended, !call.isGroup,
            let participant = call.participant(user)
        else { return }
        let name = RoomSide.name(said.partyID)
        let actor = Actor(userID: user, deviceID: name, session: name)
        do throws(CallFailure) {
            if participant.state.isRinging {
                try await answer(said, in: call, by: actor)
            } else if participant.deviceID == name {
                try await goOn(said, in: call, by: actor)
            }
        } catch .storeUnavailable {
            throw .storeUnavailable
        } catch {
            // Too late, or out of place: clients say what they say without knowing what others did at the same moment.
            log(.actRefused(call: id, code: error.code))
        }
    }

    /// Somebody whom the call rings for says something of it.
    private func answer(_ said: RoomCallEvent, in call: Call, by actor: Actor) async throws(CallFailure) {
        switch said.kind {
        case .answer(let description):
            // It answers the invite's offer. Was that nobody's, the answer is; the caller makes an offer when it hears of the join.
            let wasOffered = try await wasOffered(call)
            let answer = Signal(kind: .answer, to: nil, payload: description.text)
            let action = CallAction.answer(description: wasOffered ? answer : nil)
            // At once: nobody is to find the one without the other.
            _ = try await inLane(call.id) { () async throws(CallFailure) in
                try await self.commit(call.id) { [clock, policy] call throws(CallFailure) in
                    try call.applying(action, by: actor, now: clock(), policy: policy)
                        .then(.join(after: nil), by: actor, now: clock(), policy: policy)
                }
            }
        case .reject:
            _ = try await act(.reject(nil), on: call.id, by: actor)
        case .hangup(let reason):
            // One device that gives up while others of the user still ring says no more than that, unless it cannot say no otherwise.
            guard said.isOfVersionZero || reason == "user_busy" else { return }
            _ = try await act(.reject(reason == "user_busy" ? .busy : nil), on: call.id, by: actor)
        case .invite, .selectAnswer, .candidates, .negotiate, .muted:
            return
        }
    }

    /// Somebody calls in the room: this server's clients ring, too.
    private func ring(
        _ initiation: CallInitiation,
        as id: CallID,
        from user: UserID,
        party: String
    ) async throws(CallFailure) {
        let name = RoomSide.name(party)
        let actor = Actor(userID: user, deviceID: name, session: name)
        do throws(CallFailure) {
            let terms = try await terms(of: initiation, Identity(userID: user))
            guard !terms.audience.isEmpty else { return }
            for _ in 0..<Self.glares {
                if try await place(initiation, as: id, on: terms, by: actor) != nil { return }
                guard try await yields(to: id, from: user, in: initiation.roomID) else { return }
            }
        } catch .storeUnavailable {
            throw .storeUnavailable
        } catch {
            // Clients of the room ring all the same; this server's do not.
            log(.actRefused(call: id, code: error.code))
        }
    }

    /// How often a call that is in the way of another one may be gone by then.
    private static let glares = 4

    /// Whether the room's call gives way to another one that rings in the room. Of two that were placed at the same time each for
    /// the other the lesser id stays (Matrix client-server API, "Glare"); a call that nobody of this server's is in has ended
    /// without a word.
    private func yields(to id: CallID, from user: UserID, in roomID: String) async throws(CallFailure) -> Bool {
        let known = try await stored { () async throws(StoreFailure) in try await self.store.activeCall(inRoom: roomID)
        }
        guard let call = known else { return true }
        let isGlare =
            call.state == .ringing && call.participant(user)?.state.isRinging == true && id.rawValue < call.id.rawValue
        guard isGlare || call.isOfRoomAlone else { return false }
        try await endInPassing(call)
        return true
    }

    /// Ends a call that another one takes the place of.
    func endInPassing(_ call: Call) async throws(CallFailure) {
        guard let side = call.present.first else { return }
        _ = try await act(.end(nil), on: call.id, by: Actor(userID: side.userID, deviceID: side.deviceID))
    }

    /// Somebody who is in the call by the room says something of it.
    private func goOn(_ said: RoomCallEvent, in call: Call, by actor: Actor) async throws(CallFailure) {
        let participant = call.participant(actor.userID)
        switch said.kind {
        case .invite, .answer:
            return
        case .candidates(let candidates):
            try await pass(candidates.map { Signal(kind: .candidate, to: nil, payload: $0.text) }, in: call, by: actor)
        case .negotiate(let kind, let description):
            try await pass([Signal(kind: kind, to: nil, payload: description.text)], in: call, by: actor)
        case .muted(let audio, let video):
            if let audio, participant?.audioEnabled == audio {
                _ = try await act(.toggleAudio(!audio), on: call.id, by: actor)
            }
            if let video, participant?.videoEnabled == video {
                _ = try await act(.toggleVideo(!video), on: call.id, by: actor)
            }
        case .selectAnswer(let party):
            // Another of those it rang for has it, who was heard before, or did not say so to this server.
            let chosen = call.present.first {
                $0.userID != actor.userID && ($0.roomParty ?? CallParty($0.userID, in: call).id) == party
            }
            guard chosen == nil, call.state != .ringing else { return }
            _ = try await act(.end(nil), on: call.id, by: actor)
        case .reject, .hangup:
            _ = try await act(.end(nil), on: call.id, by: actor)
        }
    }

    /// Passes on what was not passed on before: the homeserver says again what it does not know to have been taken, and whoever took it
    /// may have been another node, or this one before it restarted.
    private func pass(_ signals: [Signal], in call: Call, by actor: Actor) async throws(CallFailure) {
        let told = try await told(of: call).filter { $0.sender == actor.userID }
        let fresh = signals.filter { signal in
            !told.contains { event in
                event.signalKind == signal.kind && event.json[signal.kind.rawValue]?.text == signal.payload
            }
        }
        guard !fresh.isEmpty else { return }
        _ = try await act(.signal(fresh), on: call.id, by: actor)
    }

    /// What clients were told of a call, as far as it is kept.
    private func told(of call: Call, after sequence: Int64 = 0) async throws(CallFailure) -> [OutgoingEvent] {
        try await stored { () async throws(StoreFailure) in
            try await self.store.outgoingEvents(of: call.id, after: sequence)
        }
    }

    /// Whether the caller's own offer went into the invite: it came with the call, and clients could take it.
    private func wasOffered(_ call: Call) async throws(CallFailure) -> Bool {
        let early = try await told(of: call).first {
            $0.name == "webrtc-offer" && $0.sender == call.createdBy && $0.sequence <= 2
        }
        return early?.json["offer"]?["sdp"]?.stringValue.map { SessionDescription($0) != nil } ?? false
    }

    /// Those in the room for whom a client of ours that has joined afresh is to make an offer, as if they had come now. Nobody, if it
    /// has the caller's own offer still to answer.
    func roomSides(of call: Call, anewFor user: UserID) async throws(CallFailure) -> [Participant] {
        guard call.isInRoom else { return [] }
        try await learnStreams(in: call)
        let hasDescribed = sentStreams.of(user, in: call.id) != nil
        return call.roomSides.filter { $0.session != nil && (hasDescribed || $0.userID != call.createdBy) }
    }

    /// Lets those in the room come into the call once more. Called from the call's lane.
    func rejoin(_ sides: [Participant], of call: Call) async {
        for side in sides {
            let actor = Actor(userID: side.userID, deviceID: side.deviceID, session: side.session)
            do throws(CallFailure) {
                _ = try await actInLane(.join(after: nil), on: call.id, by: actor, authorise: { _ in })
            } catch {
                log(.actRefused(call: call.id, code: error.code))
            }
        }
    }

    /// Finds out what is sent in a call that is in a room too, if another node was told of it, or this one before it restarted.
    func learnStreams(in call: Call) async throws(CallFailure) {
        let known = sentStreams.sequence(of: call.id)
        guard call.isInRoom, known < call.sequence else { return }
        let told = try await told(of: call, after: known)
        // Whoever has said as much as is kept has described what it sends.
        let users = told.count >= CallLimits.keptEvents ? call.participants.map(\.userID) : []
        let newest = max(call.sequence, told.last?.sequence ?? 0)
        sentStreams.note(told, of: call.id, after: known, upTo: newest, described: users)
    }
}

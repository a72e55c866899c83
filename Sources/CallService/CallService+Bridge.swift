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
        in roomID: String
    ) async throws(CallFailure) {
        // What this server said itself comes back, too.
        guard !CallParty.isOwn(said.partyID), let id = CallID(said.callID) else { return }
        let known = try await stored { () async throws(StoreFailure) in try await self.store.call(id) }
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
            _ = try await act(.answer(description: wasOffered ? answer : nil), on: call.id, by: actor)
            _ = try await act(.join(after: nil), on: call.id, by: actor)
        case .reject:
            _ = try await act(.reject(nil), on: call.id, by: actor)
        case .hangup(let reason):
            // One device that gives up while others of the user still ring says no more than that, unless it cannot say no otherwise.
            guard said.isOfVersionZero || reason == "user_busy" else { return }
            _ = try await act(.reject(reason == "user_busy" ? .busy : nil), on: call.id, by: actor)
        case .candidates, .negotiate, .muted:
            return
        }
    }

    /// Somebody who is in the call by the room says something of it.
    private func goOn(_ said: RoomCallEvent, in call: Call, by actor: Actor) async throws(CallFailure) {
        let participant = call.participant(actor.userID)
        switch said.kind {
        case .answer:
            // It was taken, perhaps without the join, if this server ended in between.
            guard participant?.session == nil else { return }
            _ = try await act(.join(after: nil), on: call.id, by: actor)
        case .candidates(let candidates):
            let signals = candidates.map { Signal(kind: .candidate, to: nil, payload: $0.text) }
            _ = try await act(.signal(signals), on: call.id, by: actor)
        case .negotiate(let kind, let description):
            let signal = Signal(kind: kind, to: nil, payload: description.text)
            _ = try await act(.signal([signal]), on: call.id, by: actor)
        case .muted(let audio, let video):
            if let audio, participant?.audioEnabled == audio {
                _ = try await act(.toggleAudio(!audio), on: call.id, by: actor)
            }
            if let video, participant?.videoEnabled == video {
                _ = try await act(.toggleVideo(!video), on: call.id, by: actor)
            }
        case .reject, .hangup:
            _ = try await act(.end(nil), on: call.id, by: actor)
        }
    }

    /// Whether the caller's own offer went into the invite: it came with the call, and clients could take it.
    private func wasOffered(_ call: Call) async throws(CallFailure) -> Bool {
        let told = try await stored { () async throws(StoreFailure) in
            try await self.store.outgoingEvents(of: call.id, after: 0)
        }
        let early = told.first { $0.name == "webrtc-offer" && $0.sender == call.createdBy && $0.sequence <= 2 }
        return early?.json["offer"]?["sdp"]?.stringValue.map { SessionDescription($0) != nil } ?? false
    }

    /// A client of ours has joined afresh: those who are in the room are there for it as if they had come now, so that it makes them an
    /// offer. Called from the call's lane.
    func rejoinRoomSides(of call: Call) async {
        for side in call.roomSides where side.session != nil {
            let actor = Actor(userID: side.userID, deviceID: side.deviceID, session: side.session)
            do throws(CallFailure) {
                _ = try await actInLane(.join(after: nil), on: call.id, by: actor, authorise: { _ in })
            } catch {
                log(.actRefused(call: call.id, code: error.code))
            }
        }
    }

    /// Finds out what a user sends in a call that is in a room too, if another node was told of it, or this one before it restarted.
    func learnStreams(of user: UserID, in call: Call) async throws(CallFailure) {
        guard call.isInRoom, sentStreams.of(user, in: call.id) == nil else { return }
        let told = try await stored { () async throws(StoreFailure) in
            try await self.store.outgoingEvents(of: call.id, after: 0)
        }
        for event in told where event.sender == user { sentStreams.note(event, in: call.id) }
    }
}

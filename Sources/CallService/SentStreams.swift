import CallModel
import CallStore
import Locking
import RoomEvents
import Signaling
import SocketIO

/// The streams that users of calls in rooms send, by their newest descriptions: a mute names the stream.
final class SentStreams: Sendable {
    private struct Key: Hashable {
        let call: CallID
        let user: UserID
    }

    private let streams = Locked(Generations<Key, [SessionDescription.Stream]>(size: 4_096))

    /// Those of one user; `nil` if nothing is known.
    func of(_ user: UserID, in call: CallID) -> [SessionDescription.Stream]? {
        streams.withLock { $0.value(Key(call: call, user: user)) }
    }

    /// Takes note of a description that a user sent.
    private func note(_ sdp: String, from user: UserID, in call: CallID) {
        let description = SessionDescription(sdp)
        streams.withLock { $0.set(description?.streams ?? [], for: Key(call: call, user: user)) }
    }

    /// Takes note of the descriptions in what was committed.
    func note(_ transition: CallTransition) {
        guard transition.call.isInRoom else { return }
        for event in transition.outgoing where ["webrtc-offer", "webrtc-answer"].contains(event.name) {
            note(event, in: transition.call.id)
        }
    }

    /// Takes note of an event that clients were told.
    func note(_ event: OutgoingEvent, in call: CallID) {
        let description = event.json["offer"] ?? event.json["answer"]
        guard let user = event.sender, let sdp = description?["sdp"]?.stringValue else { return }
        note(sdp, from: user, in: call)
    }
}

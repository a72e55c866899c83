import CallModel
import CallStore
import Locking
import RoomEvents
import Signaling
import SocketIO

/// The streams that users of calls in rooms send, by their newest descriptions: a mute names the stream.
final class SentStreams: Sendable {
    /// What is known of one call.
    private struct Record {
        /// Up to which of its events.
        var sequence: Int64 = 0
        var streams: [UserID: [SessionDescription.Stream]] = [:]
    }

    private let records = Locked(Generations<CallID, Record>(size: 2_048))

    /// Those of one user; `nil` if nothing is known.
    func of(_ user: UserID, in call: CallID) -> [SessionDescription.Stream]? {
        records.withLock { $0.value(call) }?.streams[user]
    }

    /// Up to which of its events a call is known here: others may have been committed elsewhere.
    func sequence(of call: CallID) -> Int64 { records.withLock { $0.value(call) }?.sequence ?? 0 }

    /// Takes note of the descriptions in what was committed.
    func note(_ transition: CallTransition) {
        let call = transition.call
        guard call.isInRoom else { return }
        note(
            transition.outgoing,
            of: call.id,
            after: call.sequence - Int64(transition.events.count),
            upTo: call.sequence
        )
    }

    /// Takes note of all that clients were told of a call after one event and up to another; of nothing, if something before is not
    /// known. Of `described` what is not known is too long ago to be known again.
    func note(
        _ told: [OutgoingEvent],
        of call: CallID,
        after previous: Int64,
        upTo sequence: Int64,
        described users: [UserID] = []
    ) {
        let described = told.compactMap(Self.description)
        records.withLock { records in
            var record = records.value(call) ?? Record()
            guard record.sequence >= previous, record.sequence < sequence else { return }
            for (user, streams) in described { record.streams[user] = streams }
            for user in users where record.streams[user] == nil { record.streams[user] = [] }
            record.sequence = sequence
            records.set(record, for: call)
        }
    }

    private static func description(_ event: OutgoingEvent) -> (UserID, [SessionDescription.Stream])? {
        guard event.signalKind?.isDescription == true, let user = event.sender,
            let sdp = (event.json["offer"] ?? event.json["answer"])?["sdp"]?.stringValue
        else { return nil }
        return (user, SessionDescription(sdp)?.streams ?? [])
    }
}

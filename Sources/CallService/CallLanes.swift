import CallModel
import Locking

/// One lane a call: the acts on it on this node go one after the other, from loading to the last emit.
///
/// The version check alone would keep the state right; the lane keeps acts of one node from undoing each other's work,
/// and keeps the events that they tell in the order of their commits. Whoever has entered a lane leaves it by `next`.
final class CallLanes: Sendable {
    /// Whose turn it is.
    enum Turn {
        /// An act that waits for the lane to itself.
        case act(CheckedContinuation<Void, Never>)
        /// Signals that came one after the other, to be committed together.
        case signals([SignalsUnderway])
    }

    /// Signals that are committed together at most, in messages of clients.
    private static let signalsPerCommit = 64

    private struct Lane {
        var waiting: [Turn] = []
    }

    /// The lanes that somebody is in.
    private let lanes = Locked<[CallID: Lane]>([:])

    /// Waits until every earlier act on the call is done.
    func enter(_ call: CallID) async {
        await withCheckedContinuation { continuation in
            let isFree = lanes.withLock { lanes in
                lanes[call]?.waiting.append(.act(continuation))
                guard lanes[call] == nil else { return false }
                lanes[call] = Lane()
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    /// Enters the lane if nobody is in it, and answers whether that is so; else the signals wait for their turn.
    func enter(_ call: CallID, with signals: SignalsUnderway) -> Bool {
        lanes.withLock { lanes in
            guard var lane = lanes[call] else {
                lanes[call] = Lane()
                return true
            }
            if case .signals(var others)? = lane.waiting.last, others.count < Self.signalsPerCommit {
                lane.waiting.removeLast()
                others.append(signals)
                lane.waiting.append(.signals(others))
            } else {
                lane.waiting.append(.signals([signals]))
            }
            lanes[call] = lane
            return false
        }
    }

    /// The signals that are next, taken along by whoever is in the lane; none if something else is.
    func nextSignals(_ call: CallID) -> [SignalsUnderway] {
        lanes.withLock { lanes in
            guard case .signals(let signals)? = lanes[call]?.waiting.first else { return [] }
            lanes[call]?.waiting.removeFirst()
            return signals
        }
    }

    /// Hands the lane to whoever is next; nobody is in it any more if there is none.
    func next(_ call: CallID) -> Turn? {
        lanes.withLock { lanes in
            guard let lane = lanes[call], !lane.waiting.isEmpty else {
                lanes[call] = nil
                return nil
            }
            return lanes[call]?.waiting.removeFirst()
        }
    }
}

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

    /// The lanes that somebody is in, and who waits for each.
    private let lanes = Locked<[CallID: [Turn]]>([:])

    /// Waits until every earlier act on the call is done.
    func enter(_ call: CallID) async {
        await withCheckedContinuation { continuation in
            let isFree = lanes.withLock { lanes in
                lanes[call]?.append(.act(continuation))
                guard lanes[call] == nil else { return false }
                lanes[call] = []
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    /// Enters the lane if nobody is in it, and answers whether that is so; else the signals wait for their turn.
    func enter(_ call: CallID, with signals: SignalsUnderway) -> Bool {
        lanes.withLock { lanes in
            guard let waiting = lanes[call] else {
                lanes[call] = []
                return true
            }
            if case .signals(let others)? = waiting.last, others.count < Self.signalsPerCommit {
                lanes[call]?[waiting.count - 1] = .signals(others + [signals])
            } else {
                lanes[call]?.append(.signals([signals]))
            }
            return false
        }
    }

    /// The signals that are next, taken along by whoever is in the lane; none if something else is.
    func nextSignals(_ call: CallID) -> [SignalsUnderway] {
        lanes.withLock { lanes in
            guard case .signals(let signals)? = lanes[call]?.first else { return [] }
            lanes[call]?.removeFirst()
            return signals
        }
    }

    /// Hands the lane to whoever is next; nobody is in it any more if there is none.
    func next(_ call: CallID) -> Turn? {
        lanes.withLock { lanes in
            guard lanes[call]?.isEmpty == false else {
                lanes[call] = nil
                return nil
            }
            return lanes[call]?.removeFirst()
        }
    }
}

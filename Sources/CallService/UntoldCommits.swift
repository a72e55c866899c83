import CallModel
import CallStore
import Locking
import Signaling

/// Commits of which the store gave no answer: they may be written, and then nobody was told of them. Whoever sweeps looks.
final class UntoldCommits: Sendable {
    /// Calls that are kept in mind; of more, sockets hear with the next event of the call, or when they resume.
    static let limit = 65_536

    private let ranges = Locked<[CallID: ClosedRange<Int64>]>([:])

    /// A commit that may or may not be written.
    func note(_ commit: CallCommit) {
        let first = commit.previousSequence + 1
        let id = commit.transition.call.id
        let range = first...max(first, commit.transition.call.sequence)
        ranges.withLock { ranges in
            if let known = ranges[id] {
                ranges[id] = min(known.lowerBound, range.lowerBound)...max(known.upperBound, range.upperBound)
            } else if ranges.count < Self.limit {
                ranges[id] = range
            }
        }
    }

    /// The calls in question.
    var calls: [CallID] { ranges.withLock { Array($0.keys) } }

    /// Takes the numbers of a call's events that nobody may have been told of.
    func take(_ id: CallID) -> ClosedRange<Int64>? { ranges.withLock { $0.removeValue(forKey: id) } }

    /// Gives back what could not be looked at.
    func giveBack(_ id: CallID, _ range: ClosedRange<Int64>) {
        ranges.withLock { ranges in if ranges[id] == nil { ranges[id] = range } }
    }
}

extension CallService {
    /// Tells this node's sockets what was committed although the store's answer was lost.
    func tellUntold() async {
        for id in untold.calls {
            do throws(CallFailure) {
                try await inLane(id) { () async throws(CallFailure) in try await self.tellUntold(id) }
            } catch {
                // Logged by `stored`; the next sweep looks again.
                return
            }
        }
    }

    private func tellUntold(_ id: CallID) async throws(CallFailure) {
        guard let range = untold.take(id) else { return }
        do throws(CallFailure) {
            guard let call = try await stored({ () async throws(StoreFailure) in try await self.store.call(id) }) else {
                return
            }
            recentCalls.forget(id)
            let cursor = hub.cursor(of: id)
            let after = min(cursor ?? .max, range.lowerBound - 1)
            let events = try await stored { () async throws(StoreFailure) in
                try await self.store.outgoingEvents(of: id, after: after)
            }
            // Whoever has joined has a place in the events and hears all from there on; the others hear each once only if
            // nothing but those in question is told.
            _ = hub.deliver(
                cursor == nil ? events.filter { range.contains($0.sequence) } : events,
                of: call,
                after: after
            )
            if call.state == .ended { mediaRelay?.callEnded(id) }
        } catch {
            untold.giveBack(id, range)
            throw error
        }
    }
}

import CallModel
import Locking

/// Calls of which the store gave no answer to a commit: it may be written, and then nobody was told of it. Whoever sweeps looks.
final class UntoldCommits: Sendable {
    /// Calls that are kept in mind; of more, sockets hear with the next event of the call, or when they resume.
    static let limit = 65_536

    private let noted = Locked<Set<CallID>>([])

    /// A commit to this call may or may not be written.
    func note(_ id: CallID) {
        noted.withLock { noted in if noted.count < Self.limit { noted.insert(id) } }
    }

    /// The calls in question.
    var calls: Set<CallID> { noted.withLock { $0 } }

    /// It has been looked at.
    func forget(_ id: CallID) { noted.withLock { _ = $0.remove(id) } }
}

extension CallService {
    /// Tells this node's sockets what was committed although the store's answer was lost.
    func tellUntold() async {
        for id in untold.calls {
            do throws(CallFailure) {
                try await inLane(id) { () async throws(CallFailure) in try await self.catchUp(id) }
                untold.forget(id)
            } catch {
                // Logged by `stored`; the next sweep looks again.
                return
            }
        }
    }
}

import CallModel
import Locking

/// Calls as this node last committed them, so that a candidate need not be preceded by a look into the store.
///
/// Never the truth: another node may have committed since. What is applied to a call from here is committed only if the
/// stored version is still the same, and what is refused or found to be no change has to be looked at again in the store.
final class RecentCalls: Sendable {
    private let calls = Locked(Generations<CallID, Call>(size: 4_096))

    /// The call as it was when this node last committed it; nil if that is not known any more.
    func call(_ id: CallID) -> Call? { calls.withLock { $0.value(id) } }

    /// Remembers what was committed. An ended call is not asked for again.
    func remember(_ call: Call) { calls.withLock { $0.set(call.state == .ended ? nil : call, for: call.id) } }

    /// Forgets a call that turned out to be out of date.
    func forget(_ id: CallID) { calls.withLock { $0.set(nil, for: id) } }
}

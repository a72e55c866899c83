import CallModel
import Locking

/// Calls as this node last committed them, so that a candidate need not be preceded by a look into the store.
///
/// Never the truth: another node may have committed since. What is applied to a call from here is committed only if the
/// stored version is still the same, and what is refused or found to be no change has to be looked at again in the store.
final class RecentCalls: Sendable {
    /// Calls of one generation. When it is full it becomes the old one, and the old one is forgotten.
    private static let generationSize = 4_096

    private struct Generations {
        var young: [CallID: Call] = [:]
        var old: [CallID: Call] = [:]
    }

    private let generations = Locked(Generations())

    /// The call as it was when this node last committed it; nil if that is not known any more.
    func call(_ id: CallID) -> Call? {
        generations.withLock { generations in
            if let call = generations.young[id] { return call }
            guard let call = generations.old.removeValue(forKey: id) else { return nil }
            Self.insert(call, &generations)
            return call
        }
    }

    /// Remembers what was committed. An ended call is not asked for again.
    func remember(_ call: Call) {
        generations.withLock { generations in
            generations.old[call.id] = nil
            if call.state == .ended {
                generations.young[call.id] = nil
            } else {
                Self.insert(call, &generations)
            }
        }
    }

    /// Forgets a call that turned out to be out of date.
    func forget(_ id: CallID) {
        generations.withLock { generations in
            generations.young[id] = nil
            generations.old[id] = nil
        }
    }

    private static func insert(_ call: Call, _ generations: inout Generations) {
        if generations.young[call.id] == nil, generations.young.count >= generationSize {
            generations.old = generations.young
            generations.young = [:]
        }
        generations.young[call.id] = call
    }
}

import CallModel

/// A store in memory that takes a change only if the call is still the one that it began from, and what only appends after
/// whatever else was appended, as the database does.
struct VirtualCallStore {
    /// Off, it takes every change, the later one over the earlier: what the check of the version is there to prevent.
    let checksVersions: Bool
    private(set) var calls: [Call] = []
    private(set) var events: [CallID: [CallEvent]] = [:]
    /// How often each call's signals were deleted.
    private(set) var purges: [CallID: Int] = [:]

    init(checksVersions: Bool) { self.checksVersions = checksVersions }

    func call(_ id: CallID) -> Call? { calls.first { $0.id == id } }

    /// The room's call that has not ended.
    var activeCall: Call? { calls.last { $0.state != .ended } }

    /// Writes a new call; answers `false` if the room has one.
    mutating func create(_ transition: CallTransition) -> Bool {
        guard activeCall == nil else { return false }
        calls.append(transition.call)
        events[transition.call.id] = transition.events
        return true
    }

    /// Writes a change; answers what it wrote, `nil` if the call has changed since it was loaded.
    mutating func commit(_ asked: CallTransition) -> CallTransition? {
        guard let index = calls.firstIndex(where: { $0.id == asked.call.id }) else { return nil }
        var transition = asked
        if checksVersions {
            let appended = calls[index].sequence - (asked.call.sequence - Int64(asked.events.count))
            guard calls[index].version == asked.previousVersion, appended == 0 || asked.onlyAppends else { return nil }
            transition = asked.renumbered(by: appended)
        }
        calls[index] = transition.call
        events[transition.call.id, default: []] += transition.events
        if transition.purgesSignals { purges[transition.call.id, default: 0] += 1 }
        return transition
    }

    /// The calls with a deadline that is due.
    func callsDue(at now: Timestamp) -> [CallID] {
        calls.filter { call in call.nextDeadline.map { $0 <= now } ?? false }.map(\.id)
    }
}

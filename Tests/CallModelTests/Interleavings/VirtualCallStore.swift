import CallModel

/// A store in memory that takes a change only if the call is still the one that it began from, as the database does.
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

    /// Writes a change; answers `false` if the call has changed since it was loaded.
    mutating func commit(_ transition: CallTransition) -> Bool {
        guard let index = calls.firstIndex(where: { $0.id == transition.call.id }) else { return false }
        guard !checksVersions || calls[index].version == transition.previousVersion else { return false }
        calls[index] = transition.call
        events[transition.call.id, default: []] += transition.events
        if transition.purgesSignals { purges[transition.call.id, default: 0] += 1 }
        return true
    }

    /// The calls with a deadline that is due.
    func callsDue(at now: Timestamp) -> [CallID] {
        calls.filter { call in call.nextDeadline.map { $0 <= now } ?? false }.map(\.id)
    }
}

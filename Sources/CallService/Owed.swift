import Locking

/// What has to be done once the store answers again, each thing once however often it was noted. Whoever sweeps does it.
final class Owed<Thing: Hashable & Sendable>: Sendable {
    /// Things that are kept in mind. Of what is more than these, whoever notes it has to say what becomes.
    static var limit: Int { 65_536 }

    private let noted = Locked<Set<Thing>>([])

    /// It is to be done.
    func note(_ thing: Thing) { noted.withLock { noted in if noted.count < Self.limit { noted.insert(thing) } } }

    /// It has been done.
    func forget(_ thing: Thing) { noted.withLock { _ = $0.remove(thing) } }

    /// All that is to be done.
    var all: Set<Thing> { noted.withLock { $0 } }
}

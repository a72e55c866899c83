import CallModel
import CallService
import CallStore
import CallStoreTestSupport
import Locking
import Signaling
import SocketIO
import Testing

/// A socket that remembers what it was sent.
final class FakeSocket: CallSocket {
    struct Heard: Equatable, CustomStringConvertible {
        let event: String
        let payload: JSONText
        var description: String { "\(event) \(payload)" }
        var sequence: Int? { payload["seq"]?.integerValue }
    }

    let id: SessionID
    private let state = Locked<(heard: [Heard], isClosed: Bool)>(([], false))

    init(_ id: SessionID) { self.id = id }

    func emit(_ event: String, arguments: [JSONText]) { emit(event, arguments.first ?? .null) }

    func emit(_ event: String, _ payload: JSONText) {
        state.withLock { $0.heard.append(Heard(event: event, payload: payload)) }
    }

    func close() { state.withLock { $0.isClosed = true } }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// What was heard since the last time this was asked.
    func take() -> [Heard] {
        state.withLock { state in
            defer { state.heard = [] }
            return state.heard
        }
    }

    /// The names of the events heard since the last time.
    func takeNames() -> [String] { take().map(\.event) }
}

/// A relay that remembers which calls it was told are over.
final class EndedCalls: MediaRelay {
    private let calls = Locked<[CallID]>([])

    func callEnded(_ id: CallID) { calls.withLock { $0.append(id) } }

    var all: [CallID] { calls.withLock { $0 } }
}

/// Time that stands still until a test moves it.
final class ManualClock: Sendable {
    private let milliseconds = Locked<Int64>(1_764_000_000_000)

    var now: Timestamp { Timestamp(milliseconds: milliseconds.withLock { $0 }) }

    func advance(_ by: Int64) { milliseconds.withLock { $0 += by } }
}

struct FakeICE: ICEServerProvider {
    func iceServers(for user: UserID, call: CallID?, relayOnly: Bool, now: Timestamp) -> ICEConfiguration {
        ICEConfiguration(
            servers: [.init(urls: ["turn:127.0.0.1"], username: "\(call?.rawValue ?? "-")/\(user)", credential: "c")],
            transportPolicy: relayOnly ? .relay : .all,
            secondsToLive: 3600,
            expiresAt: now.advanced(byMilliseconds: 3_600_000)
        )
    }
}

/// One node: a service with its own hub, on a store that others may share.
struct Node {
    let service: CallService
    let reports: Reports

    final class Reports: Sendable {
        private let list = Locked<[String]>([])
        func add(_ report: CallServiceReport) { list.withLock { $0.append("\(report)") } }
        var all: [String] { list.withLock { $0 } }
    }

    init(
        _ store: any CallStore,
        _ clock: ManualClock,
        policy: CallPolicy = CallPolicy(),
        mediaRelay: (any MediaRelay)? = nil
    ) {
        let hub = Hub()
        let reports = Reports()
        self.reports = reports
        service = CallService(
            store: store,
            hub: hub,
            rooms: DevRoomDirectory(hub: hub),
            iceServers: FakeICE(),
            mediaRelay: mediaRelay,
            policy: policy,
            clock: { clock.now },
            log: { reports.add($0) }
        )
    }

    /// A connected socket of a user.
    func connect(_ user: String, _ id: String, rooms: [String] = []) async -> FakeSocket {
        let socket = FakeSocket(id)
        await service.connected(socket, rooms: rooms, as: Self.identity(user))
        return socket
    }

    /// Joins and acknowledges, as the gateway does.
    @discardableResult
    func join(_ call: CallID, _ user: String, _ socket: FakeSocket, after: Int64? = nil) async throws -> JoinOutcome {
        let outcome = try await service.joinCall(
            call,
            device: nil,
            after: after,
            socket: socket,
            by: Self.identity(user)
        )
        service.acknowledgedJoin(call, socket: socket)
        return outcome
    }

    static func identity(_ user: String) -> Identity { Identity(userID: "@\(user):hs") }

    func initiate(
        _ user: String,
        _ invitees: [String],
        group: Bool = false,
        offer: String? = nil
    ) async throws -> CallAdmission {
        let wish = CallInitiation(
            roomID: "!room",
            isGroup: group,
            isRelayOnly: true,
            invitees: invitees.map { "@\($0):hs" },
            offer: offer.map { Signal(kind: .offer, to: nil, payload: $0) }
        )
        return try await service.initiate(wish, device: nil, by: Self.identity(user))
    }

    func answer(_ call: CallID, _ user: String, device: String? = nil) async throws -> CallAdmission {
        try await service.answer(call, description: nil, device: device, by: Self.identity(user))
    }

    func send(_ call: CallID, _ user: String, _ kind: SignalKind, _ payload: String, to: String? = nil) async throws {
        let signal = Signal(kind: kind, to: to.map { "@\($0):hs" }, payload: payload)
        _ = try await service.signal(call, [signal], by: Self.identity(user))
    }
}

/// A database and a clock, for one node or several.
final class ServiceFixture {
    let database: TestDatabase.Place
    let clock = ManualClock()
    private let opened = Locked<[any CallDatabase]>([])

    init(_ database: TestDatabase = .sqlite) async throws {
        self.database = try await database.place()
        let store = try self.database.open()
        _ = try await store.migrate()
        try await store.close()
    }

    deinit {
        let stores = opened.withLock { $0 }
        Task {
            for store in stores {
                do { try await store.close() } catch { Issue.record("a store could not be closed: \(error)") }
            }
        }
    }

    func node(
        policy: CallPolicy = CallPolicy(),
        store: (any CallStore)? = nil,
        mediaRelay: (any MediaRelay)? = nil
    ) throws -> Node {
        if let store { return Node(store, clock, policy: policy, mediaRelay: mediaRelay) }
        let store = try database.open()
        opened.withLock { $0.append(store) }
        return Node(store, clock, policy: policy, mediaRelay: mediaRelay)
    }

    /// The same database behind a store that can be made to fail.
    func failingStore() throws -> FailingStore {
        let store = try database.open()
        opened.withLock { $0.append(store) }
        return FailingStore(store)
    }

    /// Alice and Bob in an active call on one node, with nothing left unheard.
    func activeCall(_ node: Node) async throws -> (id: CallID, alice: FakeSocket, bob: FakeSocket) {
        let alice = await node.connect("alice", "a1")
        let bob = await node.connect("bob", "b1")
        let id = try await node.initiate("alice", ["bob"]).call.id
        try await node.join(id, "alice", alice)
        _ = try await node.answer(id, "bob")
        try await node.join(id, "bob", bob)
        _ = (alice.take(), bob.take())
        return (id, alice, bob)
    }

    func audit(_ node: Node, _ id: CallID) async throws -> [CallEvent] {
        let store = try database.open()
        let events = try await store.events(of: id, after: 0, limit: 100_000)
        try await store.close()
        return events
    }
}

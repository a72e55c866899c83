import CallModel
import CallService
import CallStore
import CallStoreTestSupport
import Foundation
import Locking
import Logging
import NetPrimitives
import RelayRuntime
import STUNServer
import ServerConfiguration
import Signaling
import Synchronization
import TURNRelay
import Testing

@testable import callrelay

/// A call of Alice and Bob, a store that can fail, and books about the call's use of the relay.
private final class BooksFixture {
    final class Ended: MediaRelay {
        private let calls = Locked<[CallID]>([])
        func callEnded(_ id: CallID) { calls.withLock { $0.append(id) } }
        var all: [CallID] { calls.withLock { $0 } }
    }

    static let secrets = [SharedSecret("new"), SharedSecret("old")]

    private let folder: URL
    let store: FailingStore
    let relay = Ended()
    let calls: CallService
    let call: CallID
    let isLate = Flag()
    var books: RelayBooks

    final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }

    init(backlog: Int = RelayBacklog.limit) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "callrelay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let database = try SQLiteCallStore(path: folder.appending(path: "calls.db").path)
        _ = try await database.migrate()
        store = FailingStore(database)
        let hub = Hub()
        calls = CallService(
            store: store,
            hub: hub,
            rooms: DevRoomDirectory(hub: hub),
            iceServers: ICEServers(
                hosts: [],
                turnHosts: [],
                port: 0,
                secret: nil,
                further: nil,
                credentialLifetime: .seconds(60)
            ),
            mediaRelay: relay,
            policy: CallPolicy(),
            clock: { Timestamp(milliseconds: 1_764_000_000_000) },
            log: { _ in }
        )
        let wish = CallInitiation(roomID: "!room", invitees: ["@bob:hs"])
        call = try await calls.initiate(wish, device: nil, by: Identity(userID: "@alice:hs")).call.id
        books = RelayBooks(
            calls: calls,
            owners: RelayOwners(secrets: Self.secrets),
            logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() },
            backlog: RelayBacklog(limit: backlog),
            isLate: { [isLate] in isLate.isSet }
        )
    }

    deinit {
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            Issue.record("the test's folder stays behind: \(error)")
        }
    }

    func username(of user: String, secret: SharedSecret = secrets[0]) -> String {
        TimeLimitedCredential.mint(
            secret: secret,
            expiry: 4_000_000_000,
            tag: RelayUserTag(userID: user, secret: secret),
            callID: call.rawValue
        ).username
    }

    static func allocation(_ slot: UInt32, _ generation: UInt32 = 0) -> RelayAllocation {
        RelayAllocation(shard: 1, id: AllocationID(slot: slot, generation: generation))
    }

    static func traffic(_ sent: UInt64) -> RelayTraffic {
        var traffic = RelayTraffic()
        traffic.bytesToPeers = sent
        return traffic
    }

    func open(_ slot: UInt32, generation: UInt32 = 0, by user: String = "@alice:hs") async throws {
        let endpoint = try Endpoint(address: IPAddress(parsing: "192.0.2.1"), port: 1)
        await books.enter(
            .allocationOpened(
                Self.allocation(slot, generation),
                username: username(of: user),
                client: endpoint,
                relayed: endpoint,
                additional: nil
            )
        )
    }

    func relayed(_ slot: UInt32, generation: UInt32 = 0, _ sent: UInt64) async {
        await books.enter(.allocationTraffic(Self.allocation(slot, generation), traffic: Self.traffic(sent)))
    }

    func close(_ slot: UInt32, generation: UInt32 = 0, by user: String = "@alice:hs", _ sent: UInt64) async {
        await books.enter(
            .allocationClosed(
                Self.allocation(slot, generation),
                username: username(of: user),
                cause: .released,
                traffic: Self.traffic(sent)
            )
        )
    }

    /// The audit of the relay's use, as `+` and `-` with bytes.
    func audit() async throws -> [String] {
        try await store.events(of: call, after: 0, limit: 10_000).compactMap { event in
            switch event.kind {
            case .relayAllocated: "+"
            case .relayReleased(_, let bytes): "-\(bytes)"
            default: nil
            }
        }
    }

    func bytesSent(_ user: String = "@alice:hs") async throws -> Int64? {
        try await store.call(call)?.participant(user)?.relay?.bytesSent
    }
}

@Suite("Books of relay use while the store fails or the server stops")
struct RelayStoreTroubleTests {
    @Test("what the store failed at is done at a later tick, in order, and no byte is counted twice")
    func retried() async throws {
        let fixture = try await BooksFixture()
        fixture.store.fail(.all)
        try await fixture.open(1)
        await fixture.relayed(1, 10)
        await fixture.close(1, 15)
        // The next in the same place: it must not begin before that one has ended.
        try await fixture.open(1, generation: 1)
        await fixture.relayed(1, generation: 1, 20)
        #expect(fixture.books.backlog.count == 3 && fixture.books.ledger.liveCount == 0)
        await fixture.books.tick(lost: 0)
        fixture.store.fail(.none)
        await fixture.relayed(1, generation: 1, 30)
        await fixture.books.tick(lost: 0)
        #expect(try await fixture.audit() == ["+", "-15", "+"])
        await fixture.relayed(1, generation: 1, 40)
        await fixture.close(1, generation: 1, 50)
        #expect(try await fixture.audit() == ["+", "-15", "+", "-50"])
        #expect(try await fixture.bytesSent() == 65)
        #expect(fixture.books.backlog.count == 0 && fixture.books.ledger.liveCount == 0)
    }

    @Test("the bytes of an allocation that ends while the store fails wait for it, and its place is free")
    func endsMeanwhile() async throws {
        let fixture = try await BooksFixture()
        try await fixture.open(1)
        fixture.store.fail(.all)
        await fixture.close(1, 35)
        #expect(fixture.books.ledger.liveCount == 0)
        await fixture.books.tick(lost: 0)
        fixture.store.fail(.none)
        await fixture.books.tick(lost: 0)
        #expect(try await fixture.bytesSent() == 35)
        #expect(try await fixture.audit() == ["+", "-35"])
    }

    @Test("with writes failing alone, bytes are counted meanwhile, and the audit is made up for")
    func writesFail() async throws {
        let fixture = try await BooksFixture()
        fixture.store.fail(.writes)
        try await fixture.open(1)
        #expect(fixture.books.ledger.liveCount == 1)
        await fixture.relayed(1, 10)
        await fixture.close(1, 15)
        #expect(fixture.books.ledger.liveCount == 0 && fixture.books.ledger.unwrittenCount == 1)
        await fixture.books.tick(lost: 0)
        fixture.store.fail(.none)
        await fixture.books.tick(lost: 0)
        #expect(try await fixture.audit() == ["+", "-15"])
        #expect(try await fixture.bytesSent() == 15)
    }

    @Test("an allocation opened after its call's end is ended, also if the store fails first")
    func ended() async throws {
        let fixture = try await BooksFixture()
        _ = try await fixture.calls.end(fixture.call, reason: nil, by: Identity(userID: "@alice:hs"))
        #expect(fixture.relay.all == [fixture.call])
        fixture.store.fail(.all)
        try await fixture.open(1)
        #expect(fixture.relay.all == [fixture.call])
        fixture.store.fail(.none)
        await fixture.books.tick(lost: 0)
        #expect(fixture.relay.all == [fixture.call, fixture.call])
    }

    @Test("with no room left to wait, an end whose beginning the audit lacks is not told, and its bytes are counted")
    func overflow() async throws {
        let fixture = try await BooksFixture(backlog: 1)
        fixture.store.fail(.writes)
        try await fixture.open(1)
        try await fixture.open(2)
        #expect(fixture.books.backlog.count == 1)
        fixture.store.fail(.none)
        await fixture.books.tick(lost: 0)
        await fixture.close(1, 1)
        await fixture.close(2, 2)
        await fixture.books.tick(lost: 0)
        #expect(try await fixture.audit() == ["+", "-1"])
        #expect(try await fixture.bytesSent() == 3)
    }

    @Test("what the store fails at costs one try a tick, and what can be done is not held up by it")
    func turns() async throws {
        let fixture = try await BooksFixture()
        fixture.store.fail(.all)
        for slot in 0..<20 as Range<UInt32> { try await fixture.open(slot) }
        let before = fixture.store.readCount
        await fixture.books.tick(lost: 0)
        #expect(fixture.store.readCount == before + 1)
        #expect(fixture.books.backlog.first?.allocation == BooksFixture.allocation(1))
        fixture.store.fail(.none)
        await fixture.books.tick(lost: 0)
        #expect(try await fixture.audit().count == 20)
    }

    @Test("when there is no more time, what comes is counted and written, and only the audit lacks it")
    func late() async throws {
        let fixture = try await BooksFixture()
        try await fixture.open(1)
        await fixture.relayed(1, 10)
        fixture.store.fail(.all)
        try await fixture.open(2, by: "@bob:hs")
        fixture.store.fail(.none)
        fixture.isLate.set()
        await fixture.close(1, 15)
        await fixture.close(2, by: "@bob:hs", 7)
        try await fixture.open(3)
        await fixture.close(3, 100)
        await fixture.books.tick(lost: 0)
        await fixture.books.close(lost: 0)
        #expect(try await fixture.audit() == ["+"])
        #expect(try await fixture.bytesSent() == 115)
        #expect(try await fixture.bytesSent("@bob:hs") == 7)
        #expect(fixture.books.untold == 5, "one end, and twice a beginning and an end")
        #expect(fixture.books.ledger.liveCount == 0 && fixture.books.ledger.unwrittenCount == 0)
    }

    @Test("a store that fails when there is no more time is asked once for what is not known, and for the bytes")
    func lateWithoutStore() async throws {
        let fixture = try await BooksFixture()
        fixture.store.fail(.all)
        fixture.isLate.set()
        let before = fixture.store.readCount
        for slot in 0..<20 as Range<UInt32> {
            try await fixture.open(slot)
            await fixture.close(slot, 5)
        }
        await fixture.books.close(lost: 0)
        #expect(fixture.store.readCount == before + 1)
        #expect(fixture.books.untold == 40)
    }

    @Test("the books are closed in order: what waits is tried once more")
    func closing() async throws {
        let fixture = try await BooksFixture()
        fixture.store.fail(.writes)
        try await fixture.open(1)
        await fixture.close(1, 3)
        fixture.store.fail(.none)
        await fixture.books.close(lost: 0)
        #expect(try await fixture.audit() == ["+", "-3"])
        #expect(try await fixture.bytesSent() == 3 && fixture.books.untold == 0)
    }

    @Test("the audit tells of a participant's first allocations, whatever another does; bytes are counted for all")
    func auditCap() async throws {
        let fixture = try await BooksFixture()
        let limit = UInt32(RelayOwners.auditedPerParticipant)
        for slot in 0..<(limit + 2) {
            try await fixture.open(slot)
            await fixture.close(slot, 1)
        }
        #expect(try await fixture.audit().count == 2 * Int(limit))
        try await fixture.open(0, generation: 1, by: "@bob:hs")
        #expect(try await fixture.audit().count == 2 * Int(limit) + 1)
        await fixture.books.tick(lost: 0)
        #expect(try await fixture.bytesSent() == Int64(limit) + 2)
    }

    @Test("a tag is known under each secret, and a stranger's under none")
    func tags() async throws {
        let fixture = try await BooksFixture()
        var owners = RelayOwners(secrets: BooksFixture.secrets)
        for secret in BooksFixture.secrets {
            for user in ["@alice:hs", "@bob:hs"] {
                let owner = try await owners.owner(of: fixture.username(of: user, secret: secret), in: fixture.calls)
                #expect(owner == RelayLedger.Owner(call: fixture.call, user: user))
            }
        }
        let removed = fixture.username(of: "@alice:hs", secret: SharedSecret("removed"))
        #expect(try await owners.owner(of: removed, in: fixture.calls) == nil)
        let stranger = fixture.username(of: "@mallory:hs")
        #expect(try await owners.owner(of: stranger, in: fixture.calls) == nil)
        #expect(try await owners.owner(of: "4000000000:alice", in: fixture.calls) == nil)
    }

    @Test(
        "an ended call is kept for as long as its credentials may be good, however short the retention",
        arguments: [
            ("1h", "24h", 86_400), ("90d", "24h", 90 * 86_400), ("1h", "10s", 3_600), ("", "24h", nil),
        ] as [(String, String, Int64?)]
    )
    func retention(retention: String, lifetime: String, seconds: Int64?) throws {
        let environment = ["EVENT_RETENTION": retention, "TURN_CREDENTIAL_TTL": lifetime]
        let configuration = try ServerConfiguration(ConfigurationSources(environment: environment)) { _ in nil }
        #expect(configuration.endedCallRetention == seconds.map { .seconds($0) })
    }
}

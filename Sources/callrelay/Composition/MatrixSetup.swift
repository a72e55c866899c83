import CallModel
import CallService
import CallStore
import Logging
import Matrix
import ServerConfiguration
import ServiceLifecycle

/// The homeserver's part in the server: who its users are, and who is in which room.
struct MatrixSetup {
    let verifier: any TokenVerifier
    let rooms: MatrixRooms
    let openID: any OpenIDLogin
    let outbox: RoomOutbox
    private let tokens: MatrixTokenVerifier
    private let appService: AppService?
    private let clients: [HomeserverClient]
    private let logger: Logger

    init(
        _ settings: MatrixSettings,
        store: any RoomEventStore,
        troubles storeTroubles: StoreTroubleLog,
        secrets: [String],
        policy: CallPolicy,
        tallies: ServerTallies,
        logger: Logger
    ) {
        let troubles = HomeserverTroubleLog(logger: logger)
        let log: @Sendable (HomeserverReport) -> Void = {
            tallies.count($0)
            troubles.note($0)
        }
        let homeserver = HomeserverClient(url: settings.homeserverURL, log: log)
        // What others answer is theirs; the log is of the homeserver that this server depends on.
        let others = settings.openIDServers.filter { $0.key != settings.serverName }.mapValues {
            HomeserverClient(url: $0) { tallies.count($0) }
        }
        let tokens = MatrixTokenVerifier(homeserver: homeserver, serverName: settings.serverName, log: log)
        self.tokens = tokens
        let appService = settings.appService.map { AppService(token: $0.own, serverName: settings.serverName) }
        self.appService = appService
        let sessions = SessionTokens(secrets: secrets)
        let vault = TokenVault()
        let encryption = RoomEncryption(homeserver)
        let outbox = RoomOutbox(
            store: store,
            sender: MatrixEventSender(
                homeserver: homeserver,
                appService: appService,
                vault: vault,
                verifier: tokens,
                sparing: settings.encryptedRooms == .clientSends ? encryption : nil
            ),
            clock: { WallClock.now() },
            log: {
                tallies.count($0)
                $0.log(to: logger, storeTroubles)
            }
        )
        self.outbox = outbox
        let keeping = KeepingTokenVerifier(tokens, in: vault) { outbox.ring() }
        verifier = SessionTokenVerifier(sessions, others: keeping) { WallClock.now() }
        rooms = MatrixRooms(
            homeserver: homeserver,
            verifier: tokens,
            appService: appService,
            startRule: MatrixRooms.StartRule(power: settings.startPower, users: settings.starters),
            encryptedRooms: MatrixRooms.EncryptedRooms(settings.encryptedRooms),
            encryption: encryption,
            memberLimit: policy.maximumParticipants
        )
        openID = MatrixOpenID(
            servers: others.merging([settings.serverName: homeserver]) { $1 },
            sessions: sessions
        ) { WallClock.now() }
        clients = [homeserver] + others.values
        self.logger = logger
    }

    /// Whether the homeserver is there is told at the start, and no reason not to start: it may come later.
    func greet() async {
        do throws(HomeserverFailure) {
            try await clients[0].checkVersions()
            logger.info("the homeserver answers")
            if let appService { await greet(as: appService) }
        } catch {
            logger.warning(
                "MATRIX_HOMESERVER_URL: no homeserver answers there now; users are let in when it does",
                metadata: ["reason": "\(error.reason)"]
            )
        }
    }

    /// Whether the homeserver reaches this server by the registration; what it put off meanwhile comes at once then.
    private func greet(as appService: AppService) async {
        do throws(HomeserverFailure) {
            try await clients[0].ping(appService)
            logger.info("the homeserver reaches this server as its application service")
        } catch {
            logger.warning(
                "the homeserver does not reach this server by its registration: look at url and tokens there, and at MATRIX_AS_TOKEN",
                metadata: ["reason": "\(error.reason)"]
            )
        }
    }

    /// Who hears what the homeserver tells its application service.
    func listener(_ sockets: CallSockets, _ calls: CallService) -> AppServiceListener {
        AppServiceListener(
            rooms: rooms,
            onMoved: { await calls.moved($0, in: $1) },
            onDevices: { [tokens] users in
                // The homeserver need not wait for the time that clients are given.
                Task { await sockets.recheckTokens(of: users) { tokens.forget($0) } }
            },
            onCall: { said, event throws(CallFailure) in
                try await calls.hear(said, from: event.sender, in: event.roomID, age: event.age)
            }
        )
    }

    func close() async {
        for client in clients {
            do {
                try await client.close()
            } catch {
                logger.warning("connections to a homeserver were not closed in order", metadata: ["cause": "\(error)"])
            }
        }
    }
}

extension MatrixRooms.EncryptedRooms {
    fileprivate init(_ setting: MatrixSettings.EncryptedRooms) {
        self =
            switch setting {
            case .notifyOnly: .notifyOnly
            case .plaintext: .plaintext
            case .clientSends: .clientSends
            case .refuse: .refuse
            }
    }
}

extension RoomOutboxReport {
    /// One log line; events are named, and not shown.
    fileprivate func log(to logger: Logger, _ troubles: StoreTroubleLog) {
        switch self {
        case .storeFailed(.unavailable(let operation, let reason)):
            troubles.failed(operation: operation, reason: reason)
        case .storeFailed(.corrupt(let operation)):
            troubles.failed(operation: operation, reason: "a stored row cannot be read")
        case .sent(let event):
            logger.debug(
                "told a room of a call",
                metadata: ["call": "\(event.callID.rawValue)", "event": "\(event.event.type)"]
            )
        case .postponed(let event, let reason):
            logger.warning(
                "the homeserver did not take an event for a room, which will be sent again",
                metadata: [
                    "call": "\(event.callID.rawValue)", "event": "\(event.event.type)",
                    "attempt": "\(event.attempts)", "reason": "\(reason)",
                ]
            )
        }
    }
}

/// Tells rooms of calls, and finds out what the homeserver does not tell by itself: that a token is no good any more, that somebody
/// left a room.
struct MatrixWatch: Service {
    let matrix: MatrixSetup
    let sockets: CallSockets
    let calls: CallService
    /// Told once, when this server can be reached.
    let isServing: AsyncStream<Void>

    /// Between two looks. With the time for which an answer is taken as true, that for a question, and that which a client has
    /// to bring another token, it stays below a minute.
    static let interval = Duration.seconds(10)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    // The homeserver is asked to call back.
                    for await _ in isServing { return await matrix.greet() }
                }
                group.addTask { await Self.forever { await sockets.recheckTokens() } }
                group.addTask { await Self.forever { await calls.expelLeavers { sockets.identity(of: $0) } } }
                group.addTask { await matrix.outbox.run { await calls.noteUndeliverable($0) } }
            }
        }
    }

    private static func forever(_ look: () async -> Void) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: interval)
            } catch {
                return
            }
            await look()
        }
    }
}

import CallModel
import CallService
import Logging
import Matrix
import ServerConfiguration
import ServiceLifecycle

/// The homeserver's part in the server: who its users are, and who is in which room.
struct MatrixSetup {
    let verifier: any TokenVerifier
    let rooms: any RoomDirectory
    let openID: any OpenIDLogin
    private let clients: [HomeserverClient]
    private let logger: Logger

    init(
        _ settings: MatrixSettings,
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
        let sessions = SessionTokens(secrets: secrets)
        verifier = SessionTokenVerifier(sessions, others: tokens) { WallClock.now() }
        rooms = MatrixRooms(
            homeserver: homeserver,
            verifier: tokens,
            startRule: MatrixRooms.StartRule(power: settings.startPower, users: settings.starters),
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
        } catch {
            logger.warning(
                "MATRIX_HOMESERVER_URL: no homeserver answers there now; users are let in when it does",
                metadata: ["reason": "\(error.reason)"]
            )
        }
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

/// Finds out what the homeserver does not tell by itself: that a token is no good any more, that somebody left a room.
struct MatrixWatch: Service {
    let matrix: MatrixSetup
    let sockets: CallSockets
    let calls: CallService

    /// Between two looks. With the time for which an answer is taken as true, that for a question, and that which a client has
    /// to bring another token, it stays below a minute.
    static let interval = Duration.seconds(10)

    func run() async throws {
        await matrix.greet()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await Self.forever { await sockets.recheckTokens() } }
                group.addTask { await Self.forever { await calls.expelLeavers { sockets.identity(of: $0) } } }
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

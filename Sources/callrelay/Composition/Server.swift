import CallAPI
import CallModel
import CallService
import CallStore
import Cluster
import Hummingbird
import HummingbirdTLS
import Logging
import NIOCore
import NetPrimitives
import Observability
import PacketIO
import Redis
import RelayRuntime
import ServerConfiguration
import ServiceLifecycle
import SignalingGateway
import SocketIO
import UnixSignals

/// The running server: the only place that knows every module.
struct Server {
    let configuration: ServerConfiguration
    let logger: Logger

    /// Serves until told to stop by SIGTERM or SIGINT, then drains and returns.
    func run() async throws {
        PinnedThread.raiseDescriptorLimit()
        // By itself NIO counts the machine's processors, whatever this process may use of them.
        NIOSingletons.groupLoopCountSuggestion = PinnedThread.allowedProcessorCount
        switch configuration.authentication {
        case .dev, .matrix: try await runWithCalls()
        case .off: try await runRelayAlone()
        }
    }

    private func runRelayAlone() async throws {
        guard let turn = configuration.turn else { return }
        try await requireFreeMetricsPort()
        let started = try startRelay(turn)
        Announcement(callPage: nil, uris: started.ice(configuration).ownURIs, metrics: configuration.metrics).print()
        let relay = started.relay
        try await runServices(metrics { ServerMetrics.families(relay) } + [started.lifecycle(configuration, logger)])
    }

    private func runWithCalls() async throws {
        let redis = try configuration.redis.map { settings in
            guard let url = RedisURL(settings.url) else {
                throw CommandFailure.configuration(
                    "REDIS_URL: the value is not redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]"
                )
            }
            return (url, RedisCluster(sender: NodeName.random(6)) { [logger] in $0.log(to: logger) })
        }
        let tls = try HTTPSetup.tls(configuration.http)
        try await HTTPSetup.requireFreePort(configuration.http)
        try await requireFreeMetricsPort()
        let (store, applied) = try await StoreOpening.openMigrated(configuration.database)
        for migration in applied { logger.info("applied a migration", metadata: ["name": "\(migration.name)"]) }
        let credentialSeconds = UInt32(clamping: configuration.credentialLifetime.components.seconds)
        let ended = try await endedCalls(in: store, credentialSeconds: credentialSeconds)
        let notices = RelayNoticeQueue()
        var keptIn = try await OwnServices.endpoints(store)
        if let redis { keptIn += OwnServices.endpoints(redis.0) }
        let relay = try configuration.turn.map { [keptIn] in
            try startRelay($0, endedCalls: ended, keptIn: keptIn, notices: notices)
        }
        let node = NodeName.random(8)
        let drain = DrainFlag()
        var ice = relay?.ice(configuration) ?? ICEServers.furtherOnly(configuration)
        let own = ownNode(node, ice, relay, drain)
        if let (_, cluster) = redis {
            let region = configuration.redis?.region ?? ""
            ice.relays = { RelayChoice.choose(among: cluster.others + [own()], region: region, for: $0) }
        }

        let hub = Hub(announcer: redis?.1)
        let troubles = StoreTroubleLog(logger: logger)
        let tallies = ServerTallies()
        let matrix = configuration.matrix.map {
            MatrixSetup(
                $0,
                store: store,
                troubles: troubles,
                secrets: configuration.sharedSecretTexts,
                policy: CallPolicy(configuration.calls),
                tallies: tallies,
                logger: logger
            )
        }
        let verifier: any TokenVerifier = matrix?.verifier ?? DevTokenVerifier()
        if configuration.http.isInClear, matrix != nil {
            logger.warning(
                "HTTP_HOST: access tokens come in clear; set HTTP_TLS_CERT, or HTTP_TRUSTED_PROXIES to the proxy that ends TLS"
            )
        }
        let outbox = OutboxLifecycle(
            configuration.calls.webhook,
            store: store,
            troubles: troubles,
            tallies: tallies,
            logger: logger
        )
        let calls = CallService(
            store: store,
            hub: hub,
            rooms: matrix?.rooms ?? DevRoomDirectory(hub: hub),
            iceServers: ice,
            mediaRelay: relay.map { started in
                RelayLink(relay: started.relay, credentialSeconds: credentialSeconds, logger: logger)
            },
            outbox: outbox?.outbox,
            roomOutbox: matrix?.outbox,
            policy: CallPolicy(configuration.calls),
            clock: { WallClock.now() },
            log: { [logger] in
                tallies.count($0)
                $0.log(to: logger, troubles)
            }
        )
        let keeper = try await keeper(of: node, calls, hub)
        if let (url, cluster) = redis { try start(cluster, url, calls, hub) }
        let sockets = CallSockets(
            calls: calls,
            node: node,
            verifier: verifier,
            socketsPerUser: configuration.sockets.perUser,
            eventRate: configuration.sockets.eventRate
        )
        let gateway = SocketGateway(
            application: sockets,
            configuration: HTTPSetup.gateway(configuration, node: node),
            logger: logger
        )
        let api = CallAPI(
            calls: calls,
            verifier: verifier,
            openID: matrix?.openID,
            appService: configuration.matrix?.appService.flatMap { tokens in
                (matrix?.listener(sockets, calls)).map { AppServiceAccess(listener: $0, token: tokens.homeservers) }
            },
            configuration: HTTPSetup.api(configuration),
            readiness: { await drain.readiness(store) }
        )
        let (isServing, serves) = AsyncStream.makeStream(of: Void.self)
        let application = Application(
            router: api.router(),
            server: try tls.map { try .tls(gateway.server(), tlsConfiguration: $0) } ?? gateway.server(),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.http.host, port: Int(configuration.http.port)),
                serverName: nil
            ),
            onServerRunning: { [configuration, ice] channel in
                let port = channel.localAddress?.port ?? Int(configuration.http.port)
                let page = configuration.http.url(port: port)
                Announcement(callPage: page, uris: ice.ownURIs, metrics: configuration.metrics).print()
                serves.yield()
            },
            logger: logger
        )
        // The first in, so that it is the last to stop: it tells of the stopping, too.
        var services = metrics {
            (relay.map { ServerMetrics.families($0.relay) } ?? [])
                + ServerMetrics.families(tallies, hub, isStoreInTrouble: troubles.isInTrouble)
                + (redis.map { ServerMetrics.families($0.1) } ?? [])
                + (matrix == nil ? [] : ServerMetrics.homeserver(tallies))
        }
        if let relay {
            services.append(
                RelayAccountant(
                    queue: notices,
                    calls: calls,
                    owners: RelayOwners(secrets: relay.secrets),
                    logger: logger
                )
            )
            services.append(relay.lifecycle(configuration, logger))
        }
        if let outbox { services.append(outbox) }
        services.append(
            CallUpkeep(
                calls: calls,
                store: store,
                retention: configuration.endedCallRetention?.wholeMilliseconds,
                clock: { WallClock.now() },
                logger: logger
            )
        )
        if let keeper {
            services.append(ClusterLifecycle(keeper: keeper, hub: hub, calls: calls, redis: redis?.1, own: own))
        }
        if let matrix {
            services.append(MatrixWatch(matrix: matrix, sockets: sockets, calls: calls, isServing: isServing))
        }
        services.append(application)
        services.append(GatewayLifecycle(gateway: gateway))
        // Last, so that it is the first to know: `/readyz` tells before anything stops.
        services.append(drain)
        try await runServices(services)
        await matrix?.close()
        do throws(StoreFailure) {
            try await store.close()
        } catch {
            logger.warning("the database was not closed in order", metadata: ["cause": "\(error)"])
        }
    }

    /// Prometheus' endpoint, if it is wanted.
    private func metrics(_ families: @escaping @Sendable () -> [MetricFamily]) -> [any Service] {
        guard let settings = configuration.metrics else { return [] }
        return [
            MetricsEndpoint(host: settings.host, port: settings.port, logger: logger) {
                families() + ProcessMetrics.now
            }
        ]
    }

    private func requireFreeMetricsPort() async throws {
        guard let metrics = configuration.metrics else { return }
        let name = "METRICS_LISTEN"
        try await HTTPSetup.requireFreePort(metrics.host, metrics.port, name, address: name)
    }

    /// Says in the store that this node is there, if it may have others beside it.
    private func keeper(of node: String, _ calls: CallService, _ hub: Hub) async throws -> NodeKeeper? {
        do throws(CallFailure) {
            if case .sqlite = configuration.database.location, configuration.redis == nil {
                // The file is this node's alone: whoever was in a call by a socket was so by one of an earlier run.
                try await calls.recoverSessions()
                return nil
            }
            let keeper = NodeKeeper(node: node, calls: calls) { [logger] in
                logger.warning("others took this node for dead; its sockets are closed, so that they resume")
                hub.closeAll()
            }
            try await keeper.enter()
            return keeper
        } catch {
            throw CommandFailure.start("DATABASE_URL: the calls in it cannot be read")
        }
    }

    /// What this node says of itself to others.
    private func ownNode(
        _ name: String,
        _ ice: ICEServers,
        _ relay: StartedRelay?,
        _ drain: DrainFlag
    ) -> @Sendable () -> ClusterNode {
        let address = "\(configuration.http.host):\(configuration.http.port)"
        let region = configuration.redis?.region ?? ""
        let uris = ice.own
        return {
            ClusterNode(
                id: name,
                address: address,
                region: region,
                stun: uris.stun,
                turn: uris.turn,
                load: Int(clamping: relay?.relay.counters().liveAllocations ?? 0),
                isDraining: drain.isSet,
                isReady: true
            )
        }
    }

    private func start(_ cluster: RedisCluster, _ url: RedisURL, _ calls: CallService, _ hub: Hub) throws {
        var emitted: (@Sendable (AdapterBroadcast) -> Void)?
        if configuration.redis?.acceptsEmitters == true {
            emitted = { hub.emit($0.event, arguments: $0.arguments, rooms: $0.rooms, except: $0.except) }
        }
        let handlers = RedisCluster.Handlers(
            hint: { calls.hint($0, $1, upTo: $2) },
            ringing: { user in _ = Task { await calls.catchUp(user: user) } },
            // Logged by the service; the next regular look finds what this one could not.
            missed: { _ = Task { try? await calls.catchUpAll() } },
            emitted: emitted
        )
        do throws(RedisFailure) {
            try cluster.start(url, handlers)
        } catch {
            throw CommandFailure.start("REDIS_URL: \(error)")
        }
    }

    /// Services stop in the reverse of their order, each when the one after it has stopped.
    private func runServices(_ services: [any Service]) async throws {
        var group = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        group.maximumGracefulShutdownDuration = configuration.drainTimeout + .seconds(5)
        try await ServiceGroup(configuration: group).run()
    }
}

extension ServerConfiguration {
    /// For how long an ended call is kept, nil for ever: not for less than its credentials may be good, since a restart
    /// learns from the stored calls which credentials to refuse.
    var endedCallRetention: Duration? { database.eventRetention.map { max($0, credentialLifetime) } }
}

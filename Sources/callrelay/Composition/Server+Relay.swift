import CallModel
import CallStore
import Logging
import NetPrimitives
import PacketIO
import RelayRuntime
import STUNServer
import ServerConfiguration
import TURNRelay

extension Server {
    /// The calls whose credentials the relay must refuse from its first request on.
    func endedCalls(in store: any CallStore, credentialSeconds: UInt32) async throws -> [EndedCall] {
        let now = WallClock.now()
        do throws(StoreFailure) {
            let endings = try await store.callsEnded(
                after: now.advanced(byMilliseconds: -Int64(credentialSeconds) * 1_000),
                limit: TURNLimits().endedCallsPerShard
            )
            return [EndedCall](endings, now: now, credentialSeconds: credentialSeconds)
        } catch {
            throw CommandFailure.start("DATABASE_URL: the calls in it cannot be read")
        }
    }

    func startRelay(
        _ turn: TURNSettings,
        endedCalls: [EndedCall] = [],
        keptIn: [Endpoint] = [],
        notices: RelayNoticeQueue? = nil
    ) throws -> StartedRelay {
        let secrets = try SharedSecrets.texts(of: turn).map { SharedSecret($0) }
        var relayConfiguration = RelayConfiguration(turn, secrets: secrets)
        let interfaces: [NetworkInterfaces.Address]
        do throws(SystemError) {
            interfaces = try NetworkInterfaces.addresses()
        } catch {
            throw CommandFailure.start("the machine's addresses cannot be read: \(error)")
        }
        relayConfiguration.ownServices =
            OwnServices.endpoints(configuration, interfaces: interfaces.map(\.address)) + keptIn
        relayConfiguration.endedCalls = endedCalls
        let relay = RelayService(relayConfiguration) { notice in notices?.send(notice) }
        do throws(RelayStartFailure) {
            let summary = try relay.start()
            for warning in summary.warnings { logger.warning("\(warning)") }
            return StartedRelay(
                settings: turn,
                relay: relay,
                summary: summary,
                secrets: secrets,
                notices: notices
            )
        } catch {
            throw CommandFailure.start("\(error)")
        }
    }
}

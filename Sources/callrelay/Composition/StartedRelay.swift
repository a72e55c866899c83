import CallModel
import Logging
import NetPrimitives
import RelayRuntime
import STUNServer
import ServerConfiguration
import TURNRelay

/// A relay that serves, with what the rest of the server needs to know of it.
struct StartedRelay {
    let settings: TURNSettings
    let relay: RelayService
    let summary: RelayService.Summary
    let secrets: [SharedSecret]
    /// Where the relay leaves its notices; nil if nobody keeps accounts.
    let notices: RelayNoticeQueue?

    /// The servers to tell clients: this relay and whatever else the operator named.
    func ice(_ configuration: ServerConfiguration) -> ICEServers {
        let hosts = ICEServers.hosts(publicHost: settings.publicHost, advertised: summary.advertised)
        return ICEServers(
            hosts: hosts,
            // On one machine a second relay over ::1 would only double each browser's allocations.
            turnHosts: settings.listensOnLoopbackOnly ? Array(hosts.prefix(1)) : hosts,
            port: summary.listeners.first?.port ?? settings.port,
            secret: secrets.first,
            further: configuration.furtherServers,
            credentialLifetime: configuration.credentialLifetime
        )
    }

    func lifecycle(_ configuration: ServerConfiguration, _ logger: Logger) -> RelayLifecycle {
        RelayLifecycle(
            relay: relay,
            notices: notices,
            drainTimeout: configuration.drainTimeout,
            alternates: AlternateServers(settings.alternateServers),
            logger: logger
        )
    }
}

extension AlternateServers {
    /// From the configuration, which has one of a family at most.
    init(_ servers: [Endpoint]) {
        self.init()
        ipv4 = servers.first { $0.address.family == .ipv4 }
        ipv6 = servers.first { $0.address.family == .ipv6 }
    }
}

extension ICEServers {
    /// With the relay switched off: the relays of other nodes, and the servers of others.
    static func furtherOnly(_ configuration: ServerConfiguration) -> ICEServers {
        ICEServers(
            hosts: [],
            turnHosts: [],
            port: 0,
            secret: configuration.sharedSecretOfNodes.map { SharedSecret($0) },
            further: configuration.furtherServers,
            credentialLifetime: configuration.credentialLifetime
        )
    }
}

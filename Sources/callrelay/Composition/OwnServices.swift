import CallStore
import NIOCore
import NetPrimitives
import Redis
import ServerConfiguration

/// Where this server listens besides its relay: what no client is relayed to, whatever the settings of the relay say.
enum OwnServices {
    /// The endpoints of the HTTP side, unless only the relay is served, and of the metrics. A wildcard stands for all of
    /// `interfaces`, and localhost for both loopback addresses.
    static func endpoints(_ configuration: ServerConfiguration, interfaces: [IPAddress]) -> [Endpoint] {
        var listeners: [(host: String, port: UInt16)] = []
        if configuration.authentication != .off { listeners.append((configuration.http.host, configuration.http.port)) }
        if let metrics = configuration.metrics { listeners.append((metrics.host, metrics.port)) }
        return listeners.flatMap { listener in
            addresses(listener.host, interfaces: interfaces).map { Endpoint(address: $0, port: listener.port) }
        }
    }

    /// The endpoints of the database, as it names them. One on another machine counts too: clients have no business there.
    static func endpoints(_ database: any CallDatabase) async throws -> [Endpoint] {
        let servers: [(address: String, port: UInt16)]
        do throws(StoreFailure) {
            servers = try await database.servers()
        } catch {
            throw CommandFailure.start("DATABASE_URL: \(MigrationFailure.store(error).message)")
        }
        return servers.compactMap { server in
            // What cannot be read carries a scope: it is link-local, and never a peer.
            (try? IPAddress(parsing: server.address)).map { Endpoint(address: $0, port: server.port) }
        }
    }

    /// The endpoint of Redis; none if its name is unknown now.
    static func endpoints(_ redis: RedisURL) -> [Endpoint] {
        guard let resolved = try? SocketAddress.makeAddressResolvingHost(redis.host, port: Int(redis.port)),
            let text = resolved.ipAddress, let address = try? IPAddress(parsing: text)
        else { return [] }
        return [Endpoint(address: address, port: redis.port)]
    }

    static func addresses(_ host: String, interfaces: [IPAddress]) -> [IPAddress] {
        let loopback = [IPAddress(ipv4: 0x7F00_0001), IPAddress(ipv6High: 0, low: 1)]
        let address: IPAddress
        do throws(IPTextFailure) {
            address = try IPAddress(parsing: host)
        } catch {
            // The configuration lets no other name than localhost pass.
            return loopback
        }
        guard address == .unspecified(address.family) else { return [address] }
        // A socket on :: hears IPv4 too.
        return (interfaces + loopback).filter { address.family == .ipv6 || $0.family == .ipv4 }
    }
}

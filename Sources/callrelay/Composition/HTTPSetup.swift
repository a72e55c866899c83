import CallAPI
import Hummingbird
import HummingbirdTLS
import NIOCore
import NIOPosix
import NIOSSL
import ServerConfiguration
import SignalingGateway
import SocketIO

/// The HTTP side of the configuration in the words of the modules that serve it.
enum HTTPSetup {
    /// Reads the certificate and its key; nil if the server speaks plain HTTP.
    static func tls(_ http: HTTPSettings) throws -> TLSConfiguration? {
        guard let files = http.tls else { return nil }
        let chain: [NIOSSLCertificateSource]
        let key: NIOSSLPrivateKey
        do {
            chain = try NIOSSLCertificate.fromPEMFile(files.certificateChain).map { .certificate($0) }
        } catch {
            throw CommandFailure.configuration(
                "HTTP_TLS_CERT: cannot read a certificate chain from \"\(files.certificateChain)\""
            )
        }
        do {
            key = try NIOSSLPrivateKey(file: files.privateKey, format: .pem)
        } catch {
            throw CommandFailure.configuration("HTTP_TLS_KEY: cannot read a private key from \"\(files.privateKey)\"")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain,
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        do {
            // Finds out now whether the key belongs to the certificate, instead of at the first handshake.
            _ = try NIOSSLContext(configuration: configuration)
        } catch {
            throw CommandFailure.configuration("HTTP_TLS_KEY: \"\(files.privateKey)\" is not the certificate's key")
        }
        return configuration
    }

    /// Finds out whether the port is free before anything is served.
    static func requireFreePort(_ http: HTTPSettings) async throws {
        try await requireFreePort(http.host, http.port, "HTTP_PORT", address: "HTTP_HOST")
    }

    /// The same of any port; the names are those of the settings.
    static func requireFreePort(_ host: String, _ port: UInt16, _ name: String, address: String) async throws {
        do {
            let probe = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: host, port: Int(port)).get()
            try await probe.close()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw CommandFailure.start("\(name): \(host):\(port) is already in use by another process")
        } catch let error as IOError where error.errnoCode == EACCES {
            throw CommandFailure.start("\(name): \(port) needs a privilege that this process does not have")
        } catch {
            throw CommandFailure.start("\(address): cannot listen on \(host):\(port): \(error)")
        }
    }

    /// The policy of foreign pages, for REST and sockets alike.
    static func cors(_ http: HTTPSettings) -> CORSPolicy {
        switch http.origins {
        case .none: CORSPolicy(origins: .none)
        case .any: CORSPolicy(origins: .any)
        case .listed(let origins): CORSPolicy(origins: .listed(Set(origins)))
        }
    }

    static func api(_ configuration: ServerConfiguration) -> APIConfiguration {
        APIConfiguration(
            maxBody: configuration.http.maxBody,
            answersLoopbackNamesOnly: configuration.authentication == .dev,
            trustedProxies: configuration.http.trustedProxies,
            cors: cors(configuration.http),
            homeserver: configuration.matrix.map { PageHomeserver(url: $0.publicURL, serverName: $0.serverName) },
            initiatePerUser: configuration.calls.initiatePerUser.map {
                InitiateRate(count: $0.count, period: $0.period)
            },
            initiatePerAddress: configuration.calls.initiatePerAddress.map {
                InitiateRate(count: $0.count, period: $0.period)
            }
        )
    }

    static func gateway(_ configuration: ServerConfiguration, node: String) -> GatewayConfiguration {
        var gateway = GatewayConfiguration()
        gateway.sessionPrefix = node + "."
        gateway.engine.pingInterval = configuration.sockets.pingInterval
        gateway.engine.pingTimeout = configuration.sockets.pingTimeout
        gateway.engine.maximumPayload = configuration.sockets.maxPayload
        gateway.cors = cors(configuration.http)
        gateway.isSecure = configuration.http.tls != nil
        if configuration.authentication == .dev {
            gateway.admits = { LoopbackName.matches(authority: $0.values(of: "host").first) }
        }
        return gateway
    }
}

public import NetPrimitives

/// REST, Socket.IO and the call page: where they listen and whom they believe.
public struct HTTPSettings: Sendable {
    /// The certificate chain and its key, as PEM files.
    public struct TLSFiles: Hashable, Sendable {
        /// Path of the chain.
        public let certificateChain: String
        /// Path of the private key.
        public let privateKey: String
    }

    /// Which pages of other origins may use the server.
    public enum Origins: Hashable, Sendable {
        case none
        case any
        /// `scheme://host[:port]`, lower-case.
        case listed([String])
    }

    /// Address or name to listen on.
    public let host: String
    /// Port to listen on; zero takes any free one.
    public let port: UInt16
    /// Set for HTTPS and WSS.
    public let tls: TLSFiles?
    /// Whose `X-Forwarded-For` counts.
    public let trustedProxies: [IPPrefix]
    /// Largest request body in bytes.
    public let maxBody: Int
    /// Which pages of other origins may use the server.
    public let origins: Origins

    /// Whether only this machine can reach `host`.
    public var hostIsLoopback: Bool {
        host == "localhost" || IPAddress(host).map(\.isLoopback) ?? false
    }

    /// Whether others can reach it without TLS and without a proxy before it.
    public var isInClear: Bool { tls == nil && trustedProxies.isEmpty && !hostIsLoopback }

    init(_ reader: SettingReader) throws(ConfigurationFailure) {
        host = try reader.required(.httpHost, "an IP address or localhost") { text in
            text == "localhost" || IPAddress(text) != nil ? text : nil
        }
        port = try reader.port(.httpPort, from: 0)
        switch (reader.text(.httpTLSCertificate), reader.text(.httpTLSKey)) {
        case (nil, nil): tls = nil
        case (let certificate?, let key?): tls = TLSFiles(certificateChain: certificate, privateKey: key)
        case (nil, _?): throw reader.failure(.httpTLSKey, "needs HTTP_TLS_CERT")
        case (_?, nil): throw reader.failure(.httpTLSCertificate, "needs HTTP_TLS_KEY")
        }
        trustedProxies = try reader.prefixes(.httpTrustedProxies)
        maxBody = try reader.byteCount(.httpMaxBody, in: 1_024...(64 << 20))
        if reader.text(.corsOrigins) == "*" {
            origins = .any
        } else {
            let expected = "an origin such as https://app.example (or * alone)"
            let listed = try reader.list(.corsOrigins, expected, Self.origin)
            origins = listed.isEmpty ? .none : .listed(listed)
        }
    }

    /// A browser sends origins in lower case, without path and without a default port.
    private static func origin(_ text: String) -> String? {
        let lowercased = text.lowercased()
        guard let scheme = ["https://", "http://"].first(where: lowercased.hasPrefix) else { return nil }
        let authority = lowercased.dropFirst(scheme.count)
        let isPlain = authority.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-:[]".contains($0)) }
        return isPlain && !authority.isEmpty ? lowercased : nil
    }
}

import NetPrimitives

/// Where Prometheus asks.
public struct MetricsSettings: Hashable, Sendable {
    /// Address or localhost to listen on.
    public let host: String
    /// Port to listen on.
    public let port: UInt16

    init?(_ reader: SettingReader) throws(ConfigurationFailure) {
        let expected = "host:port, an IP address (IPv6 in brackets) or localhost, and a port, such as 127.0.0.1:9090"
        let value: (String, UInt16)? = try reader.value(.metricsListen, expected) { text in
            guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0
            else { return nil }
            var host = String(text[..<colon])
            let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
            if isBracketed { host = String(host.dropFirst().dropLast()) }
            guard host == "localhost" || IPAddress(host).map({ ($0.family == .ipv6) == isBracketed }) == true else {
                return nil
            }
            return (host, port)
        }
        guard let value else { return nil }
        (host, port) = value
    }
}

import ServerConfiguration

/// What a started server says on standard output: where to find it.
struct Announcement {
    /// The call page's address; nil without calls.
    let callPage: String?
    /// This server's STUN and TURN URIs.
    let uris: [String]
    /// Where Prometheus asks; nil if nobody does.
    let metrics: MetricsSettings?

    var text: String {
        var lines: [String] = []
        if let callPage { lines.append("call page: \(callPage)") }
        lines += uris.map { uri in "\(uri.hasPrefix("stun") ? "STUN" : "TURN"): \(uri)" }
        if let metrics { lines.append("metrics: \(metrics.url)") }
        return lines.map { $0 + "\n" }.joined()
    }

    /// A host and a port as URLs have them.
    static func authority(_ host: String, _ port: Int) -> String {
        "\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    func print() { StandardStream.output.write(text) }
}

extension HTTPSettings {
    /// The address to open in a browser.
    func url(port: Int) -> String {
        "\(tls == nil ? "http" : "https")://\(Announcement.authority(host, port))/"
    }
}

extension MetricsSettings {
    /// The address for Prometheus.
    var url: String {
        "http://\(Announcement.authority(host, Int(port)))/metrics"
    }
}

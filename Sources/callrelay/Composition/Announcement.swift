import ServerConfiguration

/// What a started server says on standard output: where to find it.
struct Announcement {
    /// The call page's address; nil without calls.
    let callPage: String?
    /// This server's STUN and TURN URIs.
    let uris: [String]

    var text: String {
        var lines: [String] = []
        if let callPage { lines.append("call page: \(callPage)") }
        lines += uris.map { uri in "\(uri.hasPrefix("stun") ? "STUN" : "TURN"): \(uri)" }
        return lines.map { $0 + "\n" }.joined()
    }

    func print() { StandardStream.output.write(text) }
}

extension HTTPSettings {
    /// The address to open in a browser.
    func url(port: Int) -> String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(tls == nil ? "http" : "https")://\(name):\(port)/"
    }
}

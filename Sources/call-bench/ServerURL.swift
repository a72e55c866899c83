import NetPrimitives

/// Where the server under load is.
struct ServerURL: Sendable {
    let host: String
    let port: Int

    /// `HOST:PORT` as the Host field has it.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// `http://HOST:PORT`.
    var base: String { "http://\(authority)" }

    /// Reads `http://HOST:PORT`; nil for anything else.
    init?(_ text: String) {
        let scheme = "http://"
        guard text.hasPrefix(scheme) else { return nil }
        var rest = text.dropFirst(scheme.count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            host = String(rest[..<end])
            rest = rest[end...]
        }
        guard !host.isEmpty else { return nil }
        if rest.isEmpty {
            port = 80
        } else {
            guard rest.hasPrefix(":"), let number = UInt16(rest.dropFirst()), number > 0 else { return nil }
            port = Int(number)
        }
    }

    /// Whether a load may go there without asking twice.
    var isLoopback: Bool { host == "localhost" || (try? IPAddress(parsing: host))?.isLoopback == true }
}

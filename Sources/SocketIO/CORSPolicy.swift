/// Which foreign web pages may talk to this server (the Fetch standard's CORS protocol).
public struct CORSPolicy: Hashable, Sendable {
    /// Whose pages are welcome.
    public enum Origins: Hashable, Sendable {
        /// Those of this server alone.
        case none
        /// Everybody's.
        case any
        /// Those of the listed origins, in lower case: scheme, host, and port unless it is the scheme's own.
        case listed(Set<String>)
    }

    /// Whose pages are welcome.
    public let origins: Origins

    /// A policy for `origins`.
    public init(origins: Origins) {
        self.origins = origins
    }

    /// Reads `*`, or origins with commas between them; nothing means none.
    public init(list: String) {
        let names = list.split(separator: ",").map { $0.trimmingSpaces().lowercased() }.filter { !$0.isEmpty }
        if names.isEmpty {
            origins = .none
        } else if names.contains("*") {
            origins = .any
        } else {
            origins = .listed(Set(names.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }))
        }
    }

    /// The header fields that let a page of `origin` read an answer; empty if it may not.
    public func fields(for origin: String?) -> [(name: String, value: String)] {
        switch origins {
        case .none: return []
        case .any: return [("Access-Control-Allow-Origin", "*")]
        case .listed(let names):
            // The answer differs by origin, which caches must know even where it is refused.
            guard let origin, names.contains(origin.lowercased()) else { return [("Vary", "Origin")] }
            return [
                ("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true"),
                ("Vary", "Origin"),
            ]
        }
    }

    /// The header fields of the answer to a preflight; nil if there is no policy, so that OPTIONS means nothing special.
    public func preflightFields(
        for origin: String?,
        requestedHeaders: String?
    ) -> [(name: String, value: String)]? {
        guard origins != .none else { return nil }
        var fields = fields(for: origin)
        fields.append(("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE"))
        if let requestedHeaders {
            fields.append(("Vary", "Access-Control-Request-Headers"))
            fields.append(("Access-Control-Allow-Headers", requestedHeaders))
        }
        return fields
    }

    /// Whether a WebSocket may be opened with these `Origin` and `Host` fields. Browsers do not guard WebSockets by
    /// themselves, so a foreign page is turned away here. What sends no origin is no browser.
    public func admitsWebSocket(origin: String?, host: String?) -> Bool {
        guard let origin else { return true }
        let name = origin.lowercased()
        switch origins {
        case .any: return true
        case .listed(let names) where names.contains(name): return true
        case .none, .listed: break
        }
        // The scheme is left out: behind a proxy that ends TLS the page's is https and ours is not.
        guard let host, let separator = name.range(of: "://") else { return false }
        let authority = name[separator.upperBound...]
        let ownPort = name.hasPrefix("https") || name.hasPrefix("wss") ? ":443" : ":80"
        return authority.removing(suffix: ownPort) == host.lowercased()[...].removing(suffix: ownPort)
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" {
            text.removeLast()
        }
        return text
    }

    fileprivate func removing(suffix: String) -> Substring {
        hasSuffix(suffix) ? dropLast(suffix.count) : self
    }
}

extension String {
    /// Where `pattern` first occurs.
    fileprivate func range(of pattern: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(pattern) {
                return start..<index(start, offsetBy: pattern.count)
            }
            start = index(after: start)
        }
        return nil
    }
}

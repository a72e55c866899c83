import HTTPTypes
import Hummingbird
import NetPrimitives

/// Finds out who a request really came from.
struct ClientAddress {
    /// Proxies whose `X-Forwarded-For` counts.
    let trustedProxies: [IPPrefix]

    /// The nearest address that is no trusted proxy: the TCP peer, or what trusted proxies say, read from the right. A
    /// client can write anything to the left of what the first trusted proxy adds, so that is never looked at.
    func resolve(peer: String?, forwardedFor: [String]) -> IPAddress? {
        guard let peer, var client = Self.address(peer) else { return nil }
        let hops = forwardedFor.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        for hop in hops.reversed() {
            guard isTrusted(client), let address = Self.address(Self.withoutPort(hop)) else { break }
            client = address
        }
        return client
    }

    private func isTrusted(_ address: IPAddress) -> Bool {
        trustedProxies.contains { $0.contains(address) }
    }

    private static func address(_ text: some StringProtocol) -> IPAddress? {
        (try? IPAddress(parsing: text))?.canonical
    }

    /// Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
    private static func withoutPort(_ hop: Substring) -> Substring {
        let text = hop.drop { $0 == " " }
        let trimmed = text.prefix { $0 != " " }
        if trimmed.hasPrefix("[") { return trimmed.dropFirst().prefix { $0 != "]" } }
        let colons = trimmed.count { $0 == ":" }
        return colons == 1 ? trimmed.prefix { $0 != ":" } : trimmed
    }
}

public import NetPrimitives

/// ALTERNATE-SERVER (RFC 8489 §14.15), written like MAPPED-ADDRESS: in the clear. One answer may name several servers;
/// the first has to be of the family that the request came by (§10).
extension MessageView {
    /// The servers that the message names, in its order; malformed ones are left out.
    public var alternateServers: [Endpoint] {
        var servers: [Endpoint] = []
        var reader = attributes
        while let attribute = reader.next() {
            guard attribute.type == .alternateServer, let server = address(attribute) else { continue }
            servers.append(server)
        }
        return servers
    }
}

extension MessageBuilder {
    /// Appends ALTERNATE-SERVER. It belongs into a 300 answer that carries an integrity attribute (RFC 8489 §14.8).
    public mutating func appendAlternateServer(_ server: Endpoint) { appendAddress(.alternateServer, server) }
}

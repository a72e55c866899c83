public import SocketIO

/// A client's request to enter a namespace.
public struct ConnectRequest: Sendable {
    /// The namespace, `/` for the main one.
    public let namespace: String
    /// The payload of CONNECT, an object; nil if there was none.
    public let auth: JSONText?
    /// Where and how the connection was opened.
    public let handshake: Handshake

    /// A request to enter `namespace`.
    public init(namespace: String, auth: JSONText?, handshake: Handshake) {
        self.namespace = namespace
        self.auth = auth
        self.handshake = handshake
    }
}

/// Where a connection came from, as its first HTTP request told.
public struct Handshake: Sendable {
    /// The numeric address of the TCP peer, which may be a proxy; nil if the system did not say.
    public let remoteAddress: String?
    /// The header fields that are kept (`GatewayConfiguration.keptHeaderFields`), names in lower case, in order.
    public let headerFields: [(name: String, value: String)]
    /// Whether the connection to us is encrypted.
    public let isSecure: Bool

    /// A handshake with the given origin.
    public init(remoteAddress: String?, headerFields: [(name: String, value: String)] = [], isSecure: Bool = false) {
        self.remoteAddress = remoteAddress
        self.headerFields = headerFields
        self.isSecure = isSecure
    }

    /// All values of a header field, in order; `name` in lower case.
    public func values(of name: String) -> [String] {
        headerFields.filter { $0.name == name }.map(\.value)
    }
}

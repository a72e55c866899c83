public import SocketIO

/// A client's presence in one namespace: what the application emits to. Two handles are equal if they mean the same
/// socket.
public struct SocketHandle: Hashable, Sendable {
    /// The Socket.IO session id: 20 characters, unique in this process, known to the client.
    public let id: String
    /// The namespace entered.
    public let namespace: String
    private let outlet: any SocketOutlet

    /// A handle whose traffic goes to `outlet`: the gateway's own, or a test's.
    public init(id: String, namespace: String, outlet: any SocketOutlet) {
        self.id = id
        self.namespace = namespace
        self.outlet = outlet
    }

    /// Sends an event. Returns at once and keeps the order of calls; a socket that is gone ignores it, and one that
    /// takes up its events too slowly is cut.
    public func emit(_ event: String, _ arguments: [JSONText], attachments: [[UInt8]] = []) {
        outlet.emit(event, arguments: arguments, attachments: attachments, to: self)
    }

    /// Puts the socket out of the namespace, or, with `closeTransport`, closes the whole connection after what was
    /// emitted before has gone out.
    public func disconnect(closeTransport: Bool) {
        outlet.disconnect(self, closeTransport: closeTransport)
    }

    /// Whether both mean the same socket.
    public static func == (left: SocketHandle, right: SocketHandle) -> Bool { left.id == right.id }

    /// Hashes the id.
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// Where a handle's traffic goes.
public protocol SocketOutlet: Sendable {
    /// Sends an event to the socket, in the order of calls.
    func emit(_ event: String, arguments: [JSONText], attachments: [[UInt8]], to socket: SocketHandle)
    /// Ends the socket, or the connection under it.
    func disconnect(_ socket: SocketHandle, closeTransport: Bool)
}

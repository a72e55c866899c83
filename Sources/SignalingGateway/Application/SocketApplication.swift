public import SocketIO

/// What stands behind the sockets: it decides who may enter and answers events.
///
/// The calls for one socket come strictly one after the other, in the order in which the client acted; different sockets
/// are served at the same time. While a call is running, what the client sends next waits; only events that `begin` takes
/// may be under way together.
public protocol SocketApplication: Sendable {
    /// The namespaces that exist. Whoever asks for another one hears `Invalid namespace`.
    var namespaces: Set<String> { get }

    /// Whether the socket may enter the namespace. What is emitted to it before `accepted` is lost.
    func connect(_ request: ConnectRequest, socket: SocketHandle) async -> ConnectDecision

    /// The client has been told that it is in: the moment for first events.
    func accepted(_ socket: SocketHandle) async

    /// Takes an event without waiting, on the connection's event loop, or answers false and leaves it to `receive`, which
    /// is called when every event begun before is answered. Comes once for each event.
    ///
    /// Whoever takes an event calls `reply` once, from any thread; `nil` if there is nothing to say. What the client sends
    /// next is begun meanwhile.
    func begin(
        _ event: SocketEvent,
        from socket: SocketHandle,
        reply: @escaping @Sendable (SocketReply?) -> Void
    ) -> Bool

    /// Answers an event; the reply reaches the client if it asked for an acknowledgement and is dropped if not.
    func receive(_ event: SocketEvent, from socket: SocketHandle) async -> SocketReply?

    /// The answer of `receive` to the event is on its way: what is emitted from here on reaches the client after it. Must
    /// return at once; what the client sends next does not wait for it.
    func answered(_ event: SocketEvent, on socket: SocketHandle)

    /// The socket is gone. Comes once for each socket that `connect` let in, after everything that it had sent before;
    /// without `accepted` before it if the client did not wait for the decision.
    func disconnected(_ socket: SocketHandle, reason: DisconnectReason) async
}

extension SocketApplication {
    /// The main namespace alone.
    public var namespaces: Set<String> { ["/"] }

    /// Every event has to be waited for.
    public func begin(
        _ event: SocketEvent,
        from socket: SocketHandle,
        reply: @escaping @Sendable (SocketReply?) -> Void
    ) -> Bool { false }

    /// Nothing follows an answer.
    public func answered(_ event: SocketEvent, on socket: SocketHandle) {}
}

/// What the application makes of a request to enter a namespace.
public enum ConnectDecision: Hashable, Sendable {
    /// The client is in.
    case accept
    /// The client hears CONNECT_ERROR with this message and data; JavaScript clients do not try again by themselves.
    case refuse(message: String, data: JSONText?)
    /// Nothing can be said now: the connection closes, so that clients try again later.
    case unavailable
}

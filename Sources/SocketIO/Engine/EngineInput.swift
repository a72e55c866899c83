/// Names an HTTP request to a session until it is answered.
public struct EngineRequestID: Hashable, Sendable {
    /// Unique within the process.
    public let rawValue: UInt64

    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Names a WebSocket of a session.
public struct EngineWebSocketID: Hashable, Sendable {
    /// Unique within the process.
    public let rawValue: UInt64

    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What can happen to an Engine.IO session.
public enum EngineInput: Hashable, Sendable {
    /// A GET over polling.
    case poll(EngineRequestID)
    /// The head of a POST; `isBinary` if its content type is `application/octet-stream`.
    case postBegan(EngineRequestID, isBinary: Bool)
    /// The whole body of a POST; nil if it is not UTF-8.
    case postReceived(EngineRequestID, body: String?)
    /// A POST's body went over the limit.
    case postTooLarge(EngineRequestID)
    /// A request with any other method, or over a transport that needs an upgrade.
    case foreignRequest(EngineRequestID, isPolling: Bool)
    /// The client went away before it was answered.
    case requestAborted(EngineRequestID)
    /// A WebSocket that names this session was accepted.
    case webSocketJoined(EngineWebSocketID)
    /// A whole message on a WebSocket.
    case webSocketReceived(EngineWebSocketID, EngineMessage)
    /// A WebSocket takes more, or no more for now.
    case webSocketWritable(EngineWebSocketID, Bool)
    /// A WebSocket is gone.
    case webSocketClosed(EngineWebSocketID, DisconnectReason)
    /// The application has a message for the client.
    case send(EngineMessage)
    /// The application has more than enough from the client for now, or no longer.
    case backlogged(Bool)
    /// The connection shall end, once what is waiting has gone out.
    case close(DisconnectReason)
}

/// What a session wants done.
public enum EngineEffect: Hashable, Sendable {
    /// Answer a request; no further answer to it follows.
    case answer(EngineRequestID, EngineAnswer)
    /// Send a frame on a WebSocket.
    case write(EngineWebSocketID, EngineFrame)
    /// Read on from a WebSocket, or leave its bytes where they are.
    case read(EngineWebSocketID, Bool)
    /// Close a WebSocket.
    case closeWebSocket(EngineWebSocketID, WebSocketClosure)
    /// The client sent a message.
    case received(EngineMessage)
    /// The session has ended; comes once.
    case closed(DisconnectReason)
    /// Nothing more will be answered: the session's id is free. Comes once, not before `closed`.
    case forget
}

/// The answer to an HTTP request.
public enum EngineAnswer: Hashable, Sendable {
    /// 200 with packets.
    case payload(String)
    /// 200 `ok`: a body was taken.
    case accepted
    /// 400 with an error object.
    case error(EngineRequestError)
    /// 400 without a body: the request broke a rule and ended the session.
    case refused
    /// 413: the body is too large.
    case tooLarge
    /// 500 without a body: no such method.
    case unsupportedMethod
}

/// How a WebSocket is to be closed.
public enum WebSocketClosure: Hashable, Sendable {
    /// With the closing handshake and this status (RFC 6455 §7.4).
    case status(UInt16)
    /// At once, because the peer does not read.
    case abort
}

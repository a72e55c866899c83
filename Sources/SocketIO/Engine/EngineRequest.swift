/// Why a request cannot be served, with the numbers and words of the protocol.
public enum EngineRequestError: Int, Error, Hashable, Sendable {
    case unknownTransport = 0
    case unknownSession = 1
    case badHandshakeMethod = 2
    case badRequest = 3
    case forbidden = 4
    case unsupportedProtocolVersion = 5

    /// The message that goes with the number.
    public var message: String {
        switch self {
        case .unknownTransport: "Transport unknown"
        case .unknownSession: "Session ID unknown"
        case .badHandshakeMethod: "Bad handshake method"
        case .badRequest: "Bad request"
        case .forbidden: "Forbidden"
        case .unsupportedProtocolVersion: "Unsupported protocol version"
        }
    }

    /// The HTTP status.
    public var status: Int { self == .forbidden ? 403 : 400 }

    /// The body of the answer: `{"code":n,"message":"…"}`, and for people what may be the cause.
    public func body(cause: String? = nil) -> String {
        JSONText.object([
            ("code", .integer(rawValue)), ("message", .string(message)), ("cause", cause.map(JSONText.string)),
        ]).text
    }
}

/// The query of a request under the Engine.IO path, as far as we read it.
public struct EngineQuery: Hashable, Sendable {
    /// What `transport` names.
    public var transport: String?
    /// The session asked for; nil for a new one.
    public var sessionID: String?
    /// What `EIO` says.
    public var protocolVersion: String?
    /// Whether `b64` asks for text alone.
    public var forcesBase64 = false

    /// Reads the part of a request target after `?`. Of a key given twice the first counts.
    public init(_ query: some StringProtocol) {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first else { continue }
            let value = parts.count > 1 ? String(parts[1]) : ""
            switch name {
            case "transport": transport = transport ?? value
            case "sid": sessionID = sessionID ?? value
            case "EIO": protocolVersion = protocolVersion ?? value
            case "b64": forcesBase64 = !value.isEmpty && value != "0"
            default: continue
            }
        }
        if sessionID?.isEmpty == true { sessionID = nil }
    }
}

/// What a request under the Engine.IO path wants.
public enum EngineRequest: Hashable, Sendable {
    /// A new session over polling.
    case openPolling
    /// A new session over a WebSocket.
    case openWebSocket
    /// A request that belongs to a session.
    case resume(sessionID: String)

    /// Checks a request in the order in which the protocol's errors take precedence. Whether the session exists is the
    /// caller's to say through `isLive`, whether the application admits the client through `isAdmitted`.
    public init(
        method: String,
        query: EngineQuery,
        isUpgrade: Bool,
        origin: String?,
        isLive: (String) -> Bool,
        isAdmitted: () -> Bool
    ) throws(EngineRequestError) {
        guard query.transport == "polling" || query.transport == "websocket" else { throw .unknownTransport }
        guard origin?.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) != true else { throw .badRequest }
        if let sessionID = query.sessionID {
            guard isLive(sessionID) else { throw .unknownSession }
            guard !isUpgrade || query.transport == "websocket" else { throw .badRequest }
            self = .resume(sessionID: sessionID)
            return
        }
        guard method == "GET" else { throw .badHandshakeMethod }
        guard isUpgrade == (query.transport == "websocket") else { throw .badRequest }
        guard isAdmitted() else { throw .forbidden }
        guard query.protocolVersion == "4" else { throw .unsupportedProtocolVersion }
        self = isUpgrade ? .openWebSocket : .openPolling
    }
}

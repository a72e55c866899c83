public import NetPrimitives
public import SocketIO

/// What the operator decides about the REST side.
public struct APIConfiguration: Sendable {
    /// Largest request body in bytes.
    public var maxBody: Int
    /// Whether only loopback `Host` names are answered, so that no page elsewhere reaches a dev server by a name that
    /// it lets point here (DNS rebinding).
    public var answersLoopbackNamesOnly: Bool
    /// Proxies whose `X-Forwarded-For` counts.
    public var trustedProxies: [IPPrefix]
    /// Which pages of other origins may use the API.
    public var cors: CORSPolicy
    /// The homeserver whose accounts are signed in with; nil: anybody may say who they are.
    public var homeserver: PageHomeserver?
    /// Calls started per user; nil: no limit.
    public var initiatePerUser: InitiateRate?
    /// Calls started per client address; nil: no limit.
    public var initiatePerAddress: InitiateRate?

    /// A configuration with the documented defaults.
    public init(
        maxBody: Int = 262_144,
        answersLoopbackNamesOnly: Bool = true,
        trustedProxies: [IPPrefix] = [],
        cors: CORSPolicy = CORSPolicy(origins: .none),
        homeserver: PageHomeserver? = nil,
        initiatePerUser: InitiateRate? = nil,
        initiatePerAddress: InitiateRate? = nil
    ) {
        self.maxBody = maxBody
        self.answersLoopbackNamesOnly = answersLoopbackNamesOnly
        self.trustedProxies = trustedProxies
        self.cors = cors
        self.homeserver = homeserver
        self.initiatePerUser = initiatePerUser
        self.initiatePerAddress = initiatePerAddress
    }
}

/// The homeserver as the call page finds it.
public struct PageHomeserver: Sendable {
    /// Where its client-server API is, for browsers.
    public let url: String
    /// What its users' ids end in.
    public let serverName: String

    /// A homeserver at `url`.
    public init(url: String, serverName: String) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.serverName = serverName
    }

    /// Scheme and authority, as a content security policy names them.
    var origin: String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        return String(url[..<scheme.upperBound]) + url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
    }
}

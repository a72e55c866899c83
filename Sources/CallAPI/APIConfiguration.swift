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
        initiatePerUser: InitiateRate? = nil,
        initiatePerAddress: InitiateRate? = nil
    ) {
        self.maxBody = maxBody
        self.answersLoopbackNamesOnly = answersLoopbackNamesOnly
        self.trustedProxies = trustedProxies
        self.cors = cors
        self.initiatePerUser = initiatePerUser
        self.initiatePerAddress = initiatePerAddress
    }
}

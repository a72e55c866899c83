import CallService
public import Hummingbird
import NIOCore

/// What belongs to one request besides its bytes.
public struct APIContext: RequestContext {
    /// Hummingbird's own part.
    public var coreContext: CoreRequestContextStorage
    /// The TCP peer's numeric address, which may be a proxy's; nil where there is no network (tests).
    let peerAddress: String?
    /// Who is asking; set by the authentication.
    var identity: Identity?

    /// The context of a request that came by `source`'s channel.
    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peerAddress = source.channel.remoteAddress?.ipAddress
    }
}

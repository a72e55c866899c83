import NIOCore
import NIOHTTP1
import SocketIO

extension ConnectionGate {
    /// What a request is aimed at.
    enum Target {
        case new(forcesBase64: Bool)
        case session(SessionReference)
        case error(EngineRequestError)
    }

    /// Checks a request and finds its session.
    func target(of head: HTTPRequestHead, isUpgrade: Bool) -> Target {
        let query = head.query
        var session: SessionReference?
        do {
            let request = try EngineRequest(
                method: head.method.rawValue,
                query: query,
                isUpgrade: isUpgrade,
                origin: head.headers.first(name: "Origin"),
                isLive: { id in
                    session = gateway.registry.session(id)
                    return session != nil
                },
                isAdmitted: {
                    context.map { gateway.configuration.admits(handshake(of: head, context: $0)) } ?? false
                }
            )
            switch request {
            case .openPolling, .openWebSocket: return .new(forcesBase64: query.forcesBase64)
            case .resume: return session.map(Target.session) ?? .error(.unknownSession)
            }
        } catch {
            return .error(error)
        }
    }

    /// What the application gets to know of the first request.
    func handshake(of head: HTTPRequestHead, context: ChannelHandlerContext) -> Handshake {
        var fields: [(name: String, value: String)] = []
        for field in head.headers {
            let name = field.name.lowercased()
            if gateway.configuration.keptHeaderFields.contains(name) {
                fields.append((name, field.value))
            }
        }
        return Handshake(
            remoteAddress: context.remoteAddress?.ipAddress,
            headerFields: fields,
            isSecure: gateway.configuration.isSecure
        )
    }
}

import Crypto
import Logging
import NIOCore
import NIOHTTP1
import NIOWebSocket
import SocketIO

extension ConnectionGate {
    /// The request to become a WebSocket is complete: refuse it, or turn the connection round.
    func upgrade(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        let target = target(of: head, isUpgrade: true)
        if case .error(let error) = target {
            refuseUpgrade(head, error.status, error.message, context: context)
            return
        }
        let headers = head.headers
        guard
            gateway.configuration.cors.admitsWebSocket(
                origin: headers.first(name: "Origin"),
                host: headers.first(name: "Host")
            )
        else {
            refuseUpgrade(head, 403, EngineRequestError.forbidden.message, context: context)
            return
        }
        guard headers.first(name: "Sec-WebSocket-Version") == "13",
            let key = headers.first(name: "Sec-WebSocket-Key"), WebSocketHandshake.isValid(key: key)
        else {
            refuseUpgrade(head, 400, EngineRequestError.badRequest.message, context: context)
            return
        }
        switch target {
        case .new where isQuiescing || gateway.sessionCount >= gateway.configuration.maximumSessions:
            refuseUpgrade(head, 503, "Service Unavailable", context: context)
        case .new, .session, .error:
            accept(head, key: key, target: target, context: context)
        }
    }

    private func refuseUpgrade(_ head: HTTPRequestHead, _ status: Int, _ text: String, context: ChannelHandlerContext) {
        var response = EngineResponse(status: HTTPResponseStatus(statusCode: status))
        response.contentType = "text/html"
        response.body = text
        response.fields = gateway.configuration.cors.fields(for: head.headers.first(name: "Origin"))
        state = .finished
        respond(response, version: head.version, ending: .closes, context: context)
    }

    /// Answers 101 and exchanges the HTTP handlers for those of a WebSocket. The order matters: the response passes the
    /// HTTP encoder before it goes, frames must not, and what the client sent ahead must run from the HTTP decoder, on its
    /// removal, into the frame decoder.
    private func accept(
        _ head: HTTPRequestHead,
        key: String,
        target: Target,
        context: ChannelHandlerContext
    ) {
        setTimeout(nil)
        state = .finished
        let limit = gateway.configuration.engine.maximumPayload
        let handler = WebSocketHandler(
            id: EngineWebSocketID(rawValue: gateway.nextNumber()),
            maximumMessageSize: limit,
            closeTimeout: gateway.configuration.lingerTimeout,
            hasHTTPPart: hasHTTPPart
        )
        let pipeline = context.pipeline.syncOperations
        let response = HTTPResponseHead(
            version: head.version,
            status: .switchingProtocols,
            headers: WebSocketHandshake.responseHeaders(key: key)
        )
        context.writeAndFlush(wrapOutboundOut(.head(response)), promise: nil)
        do {
            // Small pieces: a connection that once had a large message must not hold a large buffer for ever.
            try context.channel.syncOptions?.setOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(capacity: 2_048)
            )
            pipeline.removeHandler(encoder, promise: nil)
            try pipeline.addHandlers(
                [WebSocketFrameEncoder(), ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: limit)), handler],
                position: .after(decoder)
            )
            attach(handler, head: head, target: target, context: context)
            pipeline.removeHandler(decoder, promise: nil)
            let channel = context.channel
            pipeline.removeHandler(self, promise: nil)
            channel.read()
        } catch {
            logger.error("no WebSocket on a connection", metadata: ["error": "\(error)"])
            close(context: context)
        }
    }

    /// Joins the WebSocket to its session, old or new.
    private func attach(
        _ handler: WebSocketHandler,
        head: HTTPRequestHead,
        target: Target,
        context: ChannelHandlerContext
    ) {
        let link = WebSocketLink(handler, eventLoop: context.eventLoop)
        switch target {
        case .session(let session):
            handler.session = session
            session.perform { driver in
                driver.links.append(link)
                driver.submit(.engine(.webSocketJoined(link.id)))
            }
        case .new(let forcesBase64):
            let driver = SessionDriver(
                gateway: gateway,
                eventLoop: context.eventLoop,
                opening: .webSocket(link, forcesBase64: forcesBase64),
                handshake: handshake(of: head, context: context)
            )
            let reference = SessionReference(driver)
            handler.session = reference
            let limit = gateway.configuration.maximumSessions
            if gateway.registry.insert(reference, id: driver.id, limit: limit) {
                driver.start()
            } else {
                handler.close(.status(1013))
            }
        case .error:
            handler.close(.status(1002))
        }
    }
}

/// The opening handshake of RFC 6455 §4.2.
enum WebSocketHandshake {
    /// Whether a key is 16 bytes in base64.
    static func isValid(key: String) -> Bool {
        let bytes = Array(key.utf8)
        guard bytes.count == 24, bytes.suffix(2) == [UInt8(ascii: "="), UInt8(ascii: "=")] else { return false }
        return bytes.dropLast(2).allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
    }

    static func responseHeaders(key: String) -> HTTPHeaders {
        let digest = Insecure.SHA1.hash(data: Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        return [
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": Base64.encode(Array(digest)),
        ]
    }
}

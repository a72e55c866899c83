import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Sets up accepted connections: HTTP/1.1 with a gate that keeps what belongs to the sockets and lets the rest through
/// to the router.
struct GatewayChannel: HTTPChannelHandler {
    typealias HTTPPart = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// A connection, and what there is to do for the router: nothing, if it never asked for anything of it.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let httpPart: EventLoopFuture<HTTPPart?>
    }

    let gateway: SocketGateway
    let responder: Responder

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            // A poll whose client is gone must end the session: without half-closure the end of input is the end.
            try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = 16 << 10
            limits.maxHeaderListSize = 32 << 10
            limits.maxHeaderFieldCount = 100
            let encoder = HTTPResponseEncoder()
            let decoder = ByteToMessageHandler(
                HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)
            )
            let gate = ConnectionGate(
                gateway: gateway,
                logger: logger,
                encoder: encoder,
                decoder: decoder,
                httpPart: channel.eventLoop.makePromise()
            )
            try channel.pipeline.syncOperations.addHandlers([encoder, decoder, gate])
            return Value(channel: channel, httpPart: gate.httpPart.futureResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            let httpPart = try await withTaskCancellationHandler {
                try await value.httpPart.get()
            } onCancel: {
                value.channel.close(promise: nil)
            }
            guard let httpPart else { return }
            await handleHTTP(asyncChannel: httpPart, logger: logger)
        } catch {
            logger.debug("connection without a router", metadata: ["error": "\(error)"])
        }
    }
}

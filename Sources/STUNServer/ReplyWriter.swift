public import NetPrimitives
public import STUNCore

/// Responses that do not depend on what was asked for. Each answers where the message stands in the builder, nil if it
/// did not fit. A response carries FINGERPRINT if its request does (RFC 8489 §6.3.1).
public enum ReplyWriter {
    /// Starts a success response to `request`; the caller appends and calls `finish`.
    public static func beginSuccess(to request: MessageView, in builder: inout MessageBuilder) {
        builder.begin(MessageType(request.type.method, .success), request.transactionID)
    }

    /// Ends a response to `request`, sealed if its sender was authenticated.
    public static func finish(
        to request: MessageView,
        sealedBy seal: IntegritySeal?,
        in builder: inout MessageBuilder
    ) -> Range<Int>? {
        builder.finish(sealedBy: seal, fingerprint: request.fingerprint != nil)
    }

    /// An error response.
    public static func error(
        _ code: ErrorCode,
        to request: MessageView,
        sealedBy seal: IntegritySeal? = nil,
        in builder: inout MessageBuilder
    ) -> Range<Int>? {
        builder.begin(MessageType(request.type.method, .error), request.transactionID)
        builder.appendErrorCode(code)
        return finish(to: request, sealedBy: seal, in: &builder)
    }

    /// 420 with the types that were not understood.
    public static func unknownAttributes(
        _ types: [AttributeType],
        to request: MessageView,
        in builder: inout MessageBuilder
    ) -> Range<Int>? {
        builder.begin(MessageType(request.type.method, .error), request.transactionID)
        builder.appendErrorCode(.unknownAttribute)
        builder.appendUnknownAttributes(types)
        return finish(to: request, sealedBy: nil, in: &builder)
    }

    /// What a refused request gets: 401 and 438 with REALM and a NONCE for `client`, 400 without.
    public static func refusal(
        _ refusal: Authenticator.Refusal,
        to request: MessageView,
        from client: Endpoint,
        by authenticator: Authenticator,
        unixSeconds: UInt64,
        in builder: inout MessageBuilder
    ) -> Range<Int>? {
        builder.begin(MessageType(request.type.method, .error), request.transactionID)
        builder.appendErrorCode(refusal.errorCode)
        if refusal != .badRequest {
            builder.appendRealm(authenticator.credentials.realm)
            builder.appendNonce(authenticator.nonces.mint(for: client, unixSeconds: unixSeconds))
        }
        return finish(to: request, sealedBy: nil, in: &builder)
    }
}

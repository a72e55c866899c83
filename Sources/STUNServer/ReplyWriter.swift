public import NetPrimitives
public import STUNCore

/// Responses that do not depend on what was asked for. Each answers where the message stands in the builder, nil if it
/// did not fit. A response carries FINGERPRINT if its request does (RFC 8489 §7).
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

    /// What a refused request gets: 401 and 438 with REALM, a NONCE for `client` and PASSWORD-ALGORITHMS, 400 without.
    public static func refusal(
        _ refusal: Authenticator.Refusal,
        to request: MessageView,
        from client: Endpoint,
        by authenticator: Authenticator,
        unixSeconds: UInt64,
        in builder: inout MessageBuilder
    ) -> Range<Int>? {
        builder.begin(MessageType(request.type.method, .error), request.transactionID)
        append(refusal, for: client, by: authenticator, unixSeconds: unixSeconds, in: &builder)
        return finish(to: request, sealedBy: nil, in: &builder)
    }

    /// The attributes of a refusal. No reason phrase and no SOFTWARE: anybody can have these sent to anybody.
    static func append(
        _ refusal: Authenticator.Refusal,
        for client: Endpoint,
        by authenticator: Authenticator,
        unixSeconds: UInt64,
        in builder: inout MessageBuilder
    ) {
        builder.appendErrorCode(refusal.errorCode, reason: "")
        guard refusal != .badRequest else { return }
        builder.appendRealm(authenticator.credentials.realm)
        builder.appendNonce(authenticator.nonces.mint(for: client, unixSeconds: unixSeconds))
        builder.appendPasswordAlgorithms(PasswordChoice.offered)
    }
}

public import NetPrimitives
public import STUNCore

/// Responses that do not depend on what was asked for. Each answers where the message stands in the builder, nil if it
/// did not fit. A response carries FINGERPRINT if its request does (RFC 8489 §7).
public enum ReplyWriter {
    /// Starts a success response to `request`; the caller appends and calls `finish`.
    public static func beginSuccess(to request: MessageView, in builder: inout MessageBuilder) {
        builder.begin(MessageType(request.type.method, .success), request.transactionID)
    }

    /// Ends a response to `request`, whose sender is not known, so that it has no integrity.
    public static func finish(to request: MessageView, in builder: inout MessageBuilder) -> Range<Int>? {
        builder.finish(sealedBy: nil, fingerprint: request.fingerprint != nil)
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
        return finish(to: request, in: &builder)
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

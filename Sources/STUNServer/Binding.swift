public import NetPrimitives
public import STUNCore

/// The Binding method (RFC 8489 §3, §6.3): no state, no authentication.
public enum Binding {
    /// Tells the sender of a Binding request that passed the gate by which address it was seen. Answers where the
    /// response stands; nil if it did not fit.
    public static func respond(
        to request: MessageView,
        from client: Endpoint,
        in builder: inout MessageBuilder
    ) -> Range<Int>? {
        ReplyWriter.beginSuccess(to: request, in: &builder)
        builder.appendXORAddress(.xorMappedAddress, client)
        return ReplyWriter.finish(to: request, in: &builder)
    }
}

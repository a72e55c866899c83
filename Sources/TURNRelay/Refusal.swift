internal import NetPrimitives
internal import STUNCore

/// A request is answered with an error.
struct Refusal: Error, Hashable {
    let code: ErrorCode
    /// With 420: what was not understood.
    var unknownAttributes: [AttributeType] = []
    /// With 300: whom to ask instead.
    var alternate: Endpoint?

    init(_ code: ErrorCode) { self.code = code }

    init(unknownAttributes: [AttributeType]) {
        self.init(.unknownAttribute)
        self.unknownAttributes = unknownAttributes
    }

    init(alternate: Endpoint) {
        self.init(.tryAlternate)
        self.alternate = alternate
    }
}

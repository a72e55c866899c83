internal import STUNCore

/// A request is answered with an error.
struct Refusal: Error, Hashable {
    let code: ErrorCode
    /// With 420: what was not understood.
    let unknownAttributes: [AttributeType]

    init(_ code: ErrorCode) {
        self.code = code
        unknownAttributes = []
    }

    init(unknownAttributes: [AttributeType]) {
        code = .unknownAttribute
        self.unknownAttributes = unknownAttributes
    }
}

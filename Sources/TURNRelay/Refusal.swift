internal import STUNCore

/// A request is answered with an error.
struct Refusal: Error, Hashable {
    let code: ErrorCode

    init(_ code: ErrorCode) { self.code = code }
}

/// A promise that was broken.
struct Violation: Equatable, CustomStringConvertible {
    enum Promise: String {
        /// At most one person and device answer a 1:1 call, and nobody answers who is in.
        case oneWinner
        /// The events' numbers are 1, 2, 3 and so on.
        case gaplessNumbers
        /// Each commit that does more than append raises the version that it began from by one, and no commit is lost.
        case versions
        /// The call is in a state that can be, and came there by a way that there is.
        case legalState
        /// The documents' own account.
        case reference
        /// An act comes through in the end.
        case progress
        /// When time has run out nothing is left to wait for.
        case ending
    }

    let promise: Promise
    let text: String

    var description: String { "\(promise.rawValue): \(text)" }
}

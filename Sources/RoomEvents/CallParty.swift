public import CallModel

/// One side of a call as the room knows it: a user with an id that all events of that side carry, so that clients can tell this
/// server from the user's devices.
public struct CallParty: Hashable, Sendable {
    /// Whose side it is.
    public let userID: UserID
    /// Opaque; the same for the whole call (Matrix client-server API, "Opaque Identifiers").
    public let id: String

    /// The side of a participant.
    public init(_ userID: UserID, in call: Call) {
        self.userID = userID
        let side = userID == call.createdBy ? "caller" : "callee"
        id = "callrelay-\(side)-\(call.id.rawValue.prefix(12))"
    }
}

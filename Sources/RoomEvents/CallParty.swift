public import CallModel

/// One side of a call as the room knows it: a user with an id that all events of that side carry, so that clients can tell this
/// server from the user's devices.
public struct CallParty: Hashable, Sendable {
    /// Whose side it is.
    public let userID: UserID
    /// Opaque; the same for the whole call (Matrix client-server API, "Opaque Identifiers").
    public let id: String

    private static let prefix = "callrelay-"

    /// Whether an id is of this server's own making.
    public static func isOwn(_ id: String) -> Bool { id.hasPrefix(prefix) }

    /// The side of a participant.
    public init(_ userID: UserID, in call: Call) {
        self.userID = userID
        let side = userID == call.createdBy ? "caller" : "callee"
        id = "\(Self.prefix)\(side)-\(call.id.rawValue.prefix(12))"
    }
}

/// Why a token was not taken.
public enum AuthenticationFailure: Error, Hashable, Sendable {
    /// There was none.
    case missing
    /// It is none of ours, or no longer good. A homeserver's own words pass through.
    case invalid(errcode: String?, isSoftLogout: Bool?)
    /// Another token than that of the user who connected.
    case otherUser
    /// It is a guest's.
    case guest
    /// It is of a homeserver whose users are not let in.
    case serverNotListed
    /// Who could tell cannot be reached; the client should try again.
    case unavailable

    /// The stable name of the failure.
    public var code: String {
        switch self {
        case .missing: "missing_token"
        case .invalid: "invalid_token"
        case .otherUser: "user_mismatch"
        case .guest: "guest_access_forbidden"
        case .serverNotListed: "server_not_listed"
        case .unavailable: "auth_unavailable"
        }
    }

    /// One sentence for a person.
    public var message: String {
        switch self {
        case .missing: "A bearer token is required."
        case .invalid: "The token is not valid."
        case .otherUser: "The token belongs to another user."
        case .guest: "Guests cannot make calls."
        case .serverNotListed: "Users of this homeserver are not let in."
        case .unavailable: "The token cannot be checked now; try again."
        }
    }
}

/// Why a homeserver did not answer what was asked.
public enum HomeserverFailure: Error, Hashable, Sendable {
    /// It cannot be reached, does not answer in time, is in trouble, or has too much to do.
    case unavailable(reason: String)
    /// It wants less, for so many milliseconds if it said so.
    case limited(milliseconds: Int64?)
    /// It said no: the HTTP status, and its own words.
    case refused(status: UInt, errcode: String?, isSoftLogout: Bool?)
    /// Its answer is larger than it may be.
    case tooLarge
    /// Its answer is not what the specification says.
    case malformed

    /// Whether it does not take the access token that was sent along.
    public var rejectsToken: Bool {
        guard case .refused(let status, let errcode, _) = self else { return false }
        return status == 401 || errcode == "M_UNKNOWN_TOKEN" || errcode == "M_USER_LOCKED"
    }

    /// For the log; nothing of the answer's content but its code.
    public var reason: String {
        switch self {
        case .unavailable(let reason): reason
        case .limited: "it answered 429"
        case .refused(let status, let errcode, _): "it answered \(status) \(errcode ?? "")"
        case .tooLarge: "its answer is too large"
        case .malformed: "its answer is none of a homeserver"
        }
    }
}

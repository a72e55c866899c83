import CallModel
import CallService

/// What a homeserver is asked with.
struct HomeserverCredential: Hashable, Sendable {
    let token: AccessToken
    /// In whose name, if the token is an application service's; its own if `nil`.
    let user: UserID?
    /// By which of the user's devices, if the token is an application service's: repetitions are told by it.
    let device: DeviceID?

    init(_ token: AccessToken, as user: UserID? = nil, device: DeviceID? = nil) {
        self.token = token
        self.user = user
        self.device = device
    }

    /// What belongs into a request's query, after `path`.
    func query(behind path: String) -> String {
        let parameters = [("user_id", user), ("device_id", device)].compactMap { name, value in
            value.map { "\(name)=" + PathSegment.encode($0) }
        }
        guard !parameters.isEmpty else { return "" }
        return (path.contains("?") ? "&" : "?") + parameters.joined(separator: "&")
    }
}

public import CallModel
public import CallService

/// This server as an application service of the homeserver: it may act in the names of the homeserver's users, and is told what
/// happens in their rooms.
public struct AppService: Sendable {
    /// What the homeserver knows it by.
    public static let id = "callrelay"

    /// What this server shows to the homeserver. It is every local user's account.
    let token: AccessToken
    private let serverName: String

    /// The application service of a homeserver whose users' ids end in `serverName`.
    public init(token: String, serverName: String) {
        self.token = AccessToken(token)
        self.serverName = serverName
    }

    /// Whether it may act in the user's name.
    func mayActAs(_ user: UserID) -> Bool { user.hasSuffix(":" + serverName) }

    /// Its credential for acting in a user's name.
    func credential(of user: UserID, device: DeviceID? = nil) -> HomeserverCredential? {
        mayActAs(user) ? HomeserverCredential(token, as: user, device: device) : nil
    }
}

/// Takes what the homeserver tells its application service.
public struct AppServiceListener: HomeserverListener {
    private let rooms: MatrixRooms
    private let onMoved: @Sendable (_ user: UserID, _ room: String) async -> Void
    private let onDevices: @Sendable (_ users: Set<UserID>) async -> Void

    /// Hears for `rooms`. `onMoved` is told who came into a room or left it, `onDevices` whose devices changed.
    public init(
        rooms: MatrixRooms,
        onMoved: @escaping @Sendable (_ user: UserID, _ room: String) async -> Void,
        onDevices: @escaping @Sendable (_ users: Set<UserID>) async -> Void
    ) {
        self.rooms = rooms
        self.onMoved = onMoved
        self.onDevices = onDevices
    }

    /// Takes one transaction. Doing so twice changes nothing.
    public func hear(_ transaction: HomeserverTransaction) async {
        for event in transaction.events where event.type == "m.room.member" {
            guard let user = event.stateKey, user.hasForm else { continue }
            rooms.forget(user, in: event.roomID)
            await onMoved(user, event.roomID)
        }
        if !transaction.usersWithChangedDevices.isEmpty { await onDevices(transaction.usersWithChangedDevices) }
    }
}

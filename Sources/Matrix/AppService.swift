public import CallModel
public import CallService
import Locking
public import RoomEvents

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

/// Ids of events, as many as matter for repetitions.
private final class Heard: Sendable {
    private let ids = Locked(Generations<String, Void>(size: 10_000))

    func contains(_ id: String) -> Bool { ids.withLock { $0.value(id) } != nil }
    func note(_ id: String) { if !id.isEmpty { ids.withLock { $0.set((), for: id) } } }
}

/// Takes what the homeserver tells its application service.
public struct AppServiceListener: HomeserverListener {
    private let rooms: MatrixRooms
    private let onMoved: @Sendable (_ user: UserID, _ room: String) async -> Void
    private let onDevices: @Sendable (_ users: Set<UserID>) async -> Void
    private let onCall: @Sendable (RoomCallEvent, HomeserverTransaction.Event) async throws(CallFailure) -> Void
    /// Events that were heard, by their ids: what is repeated because a later one could not be taken is not heard twice.
    private let heard = Heard()

    /// Hears for `rooms`. `onMoved` is told who came into a room or left it, `onDevices` whose devices changed, `onCall` what clients
    /// say of calls.
    public init(
        rooms: MatrixRooms,
        onMoved: @escaping @Sendable (_ user: UserID, _ room: String) async -> Void,
        onDevices: @escaping @Sendable (_ users: Set<UserID>) async -> Void,
        onCall: @escaping @Sendable (RoomCallEvent, HomeserverTransaction.Event) async throws(CallFailure) -> Void
    ) {
        self.rooms = rooms
        self.onMoved = onMoved
        self.onDevices = onDevices
        self.onCall = onCall
    }

    /// Takes one transaction, event after event.
    public func hear(_ transaction: HomeserverTransaction) async throws(CallFailure) {
        for event in transaction.events {
            if event.type == "m.room.member", let user = event.stateKey, user.hasForm {
                rooms.forget(user, in: event.roomID)
                await onMoved(user, event.roomID)
            } else if RoomCallEvent.types.contains(event.type), !heard.contains(event.id),
                let said = RoomCallEvent(type: event.type, content: event.content)
            {
                try await onCall(said, event)
                heard.note(event.id)
            }
        }
        if !transaction.usersWithChangedDevices.isEmpty { await onDevices(transaction.usersWithChangedDevices) }
    }
}

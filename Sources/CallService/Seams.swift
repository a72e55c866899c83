public import CallModel
public import Signaling
public import SocketIO

/// Knows the STUN and TURN servers and mints credentials for them.
public protocol ICEServerProvider: Sendable {
    /// The servers for one user, with a credential that names the call if there is one.
    func iceServers(for user: UserID, call: CallID?, relayOnly: Bool, now: Timestamp) -> ICEConfiguration
}

/// Carries the media of calls.
public protocol MediaRelay: Sendable {
    /// The call is over: whatever is relayed for it ends, and nothing more is. Returns at once.
    func callEnded(_ id: CallID)
}

/// Knows who is in a room.
public protocol RoomDirectory: Sendable {
    /// The members of a room, for a call that names no invitees.
    func members(of roomID: String, asking identity: Identity) async throws(CallFailure) -> [UserID]
    /// Refuses whoever may not act in the room now.
    func requireMember(of roomID: String, _ identity: Identity) async throws(CallFailure)
    /// Whether `requireMember` would let the user act, as far as that is known without waiting.
    func isMemberForSure(of roomID: String, _ identity: Identity) -> Bool
}

/// Development mode: a room's members are the users with a connected socket that named the room.
public struct DevRoomDirectory: RoomDirectory {
    private let hub: Hub

    /// A directory over the sockets of `hub`.
    public init(hub: Hub) { self.hub = hub }

    /// The users with a connected socket that named the room, in order of their ids.
    public func members(of roomID: String, asking identity: Identity) async throws(CallFailure) -> [UserID] {
        hub.members(ofRoom: roomID)
    }

    /// Everybody may: a call's audience is all that counts here.
    public func requireMember(of roomID: String, _ identity: Identity) async throws(CallFailure) {}

    /// Everybody is.
    public func isMemberForSure(of roomID: String, _ identity: Identity) -> Bool { true }
}

/// A client's socket, as the call service uses it. Emitting returns at once and keeps order.
public protocol CallSocket: Sendable {
    /// Unique in this process.
    var id: SessionID { get }
    /// Sends an event.
    func emit(_ event: String, _ payload: JSONText)
    /// Sends an event with any number of arguments, that somebody else composed.
    func emit(_ event: String, arguments: [JSONText])
    /// Closes the connection; for a client that lets its events pile up.
    func close()
}

public import CallModel
public import RoomEvents
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

/// Lets users of other homeservers in.
public protocol OpenIDLogin: Sendable {
    /// Takes what a homeserver gave its user to show elsewhere, and answers with a token of this server.
    func login(_ proof: OpenIDProof) async throws(AuthenticationFailure) -> SessionGrant
}

/// What a homeserver gave its user to show who that is, and nothing else.
public struct OpenIDProof: Sendable {
    /// The homeserver's name, as in its users' ids.
    public let serverName: String
    /// What to show to it.
    public let token: AccessToken
    /// Seconds for which that is good, if it was said.
    public let secondsToLive: Int?

    /// A proof as the client sent it.
    public init(serverName: String, token: AccessToken, secondsToLive: Int?) {
        self.serverName = serverName
        self.token = token
        self.secondsToLive = secondsToLive
    }
}

/// A token of this server, for one user and some time.
public struct SessionGrant: Sendable {
    /// To be sent like an access token.
    public let token: String
    /// Whose it is.
    public let userID: UserID
    /// Until when.
    public let expiresAt: Timestamp

    /// A token that was made.
    public init(token: String, userID: UserID, expiresAt: Timestamp) {
        self.token = token
        self.userID = userID
        self.expiresAt = expiresAt
    }
}

/// Knows who is in a room.
public protocol RoomDirectory: Sendable {
    /// The members of a room, for a call that names no invitees.
    func members(of roomID: String, asking identity: Identity) async throws(CallFailure) -> [UserID]
    /// Refuses whoever may not act in the room now.
    func requireMember(of roomID: String, _ identity: Identity) async throws(CallFailure)
    /// Whether `requireMember` would let the user act, as far as that is known without waiting.
    func isMemberForSure(of roomID: String, _ identity: Identity) -> Bool
    /// Refuses whoever may not start a call in the room, though a member of it.
    func requireMayStart(in roomID: String, _ identity: Identity) async throws(CallFailure)
    /// What the room may be told of a call that the user starts in it; refuses calls in rooms that may have none.
    func announcement(in roomID: String, _ identity: Identity) async throws(CallFailure) -> RoomAnnouncement
    /// Refuses a call for users whom it could not be for: those who are not in the room.
    func requireInvitable(_ users: [UserID], to roomID: String, asking identity: Identity) async throws(CallFailure)
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

    /// Everybody may.
    public func requireMayStart(in roomID: String, _ identity: Identity) async throws(CallFailure) {}

    /// Nothing: such a room is nowhere.
    public func announcement(in roomID: String, _ identity: Identity) async throws(CallFailure) -> RoomAnnouncement {
        .none
    }

    /// Whoever is named is a member by that.
    public func requireInvitable(
        _ users: [UserID],
        to roomID: String,
        asking identity: Identity
    ) async throws(CallFailure) {}
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

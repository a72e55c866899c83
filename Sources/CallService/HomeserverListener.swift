public import CallModel
public import SocketIO

/// Takes what a homeserver tells its application service.
public protocol HomeserverListener: Sendable {
    /// Takes one transaction, or fails; the homeserver repeats it until it hears that it was taken.
    func hear(_ transaction: HomeserverTransaction) async throws(CallFailure)
}

/// What a homeserver tells at a time, as far as it is listened to (Matrix application service API).
public struct HomeserverTransaction: Sendable {
    /// An event in a room.
    public struct Event: Sendable {
        /// Its type.
        public let type: String
        /// Where it is.
        public let roomID: String
        /// Which state it is, if it is state.
        public let stateKey: String?
        /// Its id.
        public let id: String
        /// Who sent it; the homeserver vouches for that, and for nothing in its content.
        public let sender: UserID
        /// What it says, a JSON object.
        public let content: JSONText
        /// Milliseconds since it was sent, by the homeserver's clock.
        public let age: Int64

        /// An event as the homeserver told of it.
        public init(
            type: String,
            roomID: String,
            stateKey: String?,
            id: String,
            sender: UserID,
            content: JSONText,
            age: Int64
        ) {
            self.type = type
            self.roomID = roomID
            self.stateKey = stateKey
            self.id = id
            self.sender = sender
            self.content = content
            self.age = age
        }
    }

    /// What happened in rooms, in order.
    public let events: [Event]
    /// Whose devices, or whose keys, are others than before.
    public let usersWithChangedDevices: Set<UserID>

    /// A transaction as the homeserver sent it.
    public init(events: [Event], usersWithChangedDevices: Set<UserID>) {
        self.events = events
        self.usersWithChangedDevices = usersWithChangedDevices
    }
}

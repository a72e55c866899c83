public import CallModel

/// Takes what a homeserver tells its application service.
public protocol HomeserverListener: Sendable {
    /// Takes one transaction; the homeserver repeats it until it hears that it was taken.
    func hear(_ transaction: HomeserverTransaction) async
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

        /// An event as the homeserver told of it.
        public init(type: String, roomID: String, stateKey: String?) {
            self.type = type
            self.roomID = roomID
            self.stateKey = stateKey
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

public import CallModel

/// Where an event for a room stands in the store.
public struct RoomEventPlace: Hashable, Sendable {
    /// The call that it tells of.
    public let callID: CallID
    /// The number of the call's event.
    public let sequence: Int64
    /// Its place among those that tell of the same one.
    public let part: Int

    /// Names one event.
    public init(callID: CallID, sequence: Int64, part: Int) {
        self.callID = callID
        self.sequence = sequence
        self.part = part
    }
}

/// An event for a room that waits for whoever can send it.
public struct WaitingRoomEvent: Hashable, Sendable {
    /// Which.
    public let place: RoomEventPlace
    /// In whose name it is sent.
    public let sender: UserID
    /// With a token of which device it was tried and perhaps taken before, empty for a token of none; `nil` if it was certainly not
    /// taken. Repetitions are told by the device, so that it must stay the same.
    public let device: DeviceID?

    /// An event as the store has it.
    public init(place: RoomEventPlace, sender: UserID, device: DeviceID?) {
        self.place = place
        self.sender = sender
        self.device = device
    }
}

/// An event for a room that somebody claimed to send.
public struct StoredRoomEvent: Hashable, Sendable {
    /// Which call it tells of.
    public let callID: CallID
    /// Where it goes.
    public let roomID: String
    /// What is sent.
    public let event: RoomEvent
    /// How often it was claimed to be sent, this time included.
    public let attempts: Int
    /// Whether it may have been taken before.
    public let isRepetition: Bool

    /// Where it stands.
    public var place: RoomEventPlace {
        RoomEventPlace(callID: callID, sequence: event.sequence, part: event.part)
    }

    /// An event as the store has it.
    public init(callID: CallID, roomID: String, event: RoomEvent, attempts: Int, isRepetition: Bool) {
        self.callID = callID
        self.roomID = roomID
        self.event = event
        self.attempts = attempts
        self.isRepetition = isRepetition
    }
}

/// What came of sending an event to a room.
public enum RoomEventOutcome: Hashable, Sendable {
    /// It is there, under this id.
    case sent(eventID: String)
    /// To be sent again, not before a moment; with a token of any device, if it was certainly not taken yet.
    case postponed(until: Timestamp, byAnyDevice: Bool)
    /// Not to be sent any more, for a reason in one word.
    case undeliverable(reason: String)
    /// Not to be sent from here: the sender's client does, or nobody.
    case leftToClient
}

extension RoomEventOutcome {
    /// What the store keeps of an event that it has no more to do with: the room's name for it, empty if that is not known here.
    var eventID: String? {
        switch self {
        case .sent(let eventID): eventID
        case .leftToClient: ""
        case .postponed, .undeliverable: nil
        }
    }
}

/// An event that its room will never see.
public struct UndeliverableRoomEvent: Hashable, Sendable {
    /// Which.
    public let place: RoomEventPlace
    /// The event's type.
    public let type: String
    /// Whose it was.
    public let sender: UserID
    /// Why, in one word.
    public let reason: String

    /// An event that was given up.
    public init(place: RoomEventPlace, type: String, sender: UserID, reason: String) {
        self.place = place
        self.type = type
        self.sender = sender
        self.reason = reason
    }

    /// It was not sent in time.
    public static let expired = "expired"
    /// What it belongs to is not in the room.
    public static let orphaned = "orphaned"
    /// It may be there or not, and to send it again might double it.
    public static let unconfirmed = "unconfirmed"
}

/// Where events for rooms wait until they are sent. They are written with the changes that they tell of, by `CallStore`.
public protocol RoomEventStore: Sendable {
    /// Events for rooms that may be sent now, those that waited longest first: of a call and a sender the first, and no other before
    /// the call's invite.
    func dueRoomEvents(at now: Timestamp, limit: Int) async throws(StoreFailure) -> [WaitingRoomEvent]

    /// Claims an event to send it with a token of a device, empty for none; `nil` if it is settled, or somebody else sends it.
    func claim(
        _ waiting: WaitingRoomEvent,
        device: DeviceID,
        at now: Timestamp,
        until: Timestamp
    ) async throws(StoreFailure) -> StoredRoomEvent?

    /// Writes down what came of sending an event.
    func settle(_ event: StoredRoomEvent, _ outcome: RoomEventOutcome) async throws(StoreFailure)

    /// Gives up events, unless they are being sent: those whose time is over, and those whose call's invite will never be there.
    func giveUpRoomEvents(at now: Timestamp, limit: Int) async throws(StoreFailure)

    /// Claims events that were given up and are not in the audit yet: until a moment they are nobody else's to enter.
    func claimUnaudited(
        at now: Timestamp,
        until: Timestamp,
        limit: Int
    ) async throws(StoreFailure) -> [UndeliverableRoomEvent]

    /// The audit tells of it.
    func settleAudit(of place: RoomEventPlace) async throws(StoreFailure)
}

// A participant who takes part by a client of the homeserver, in the room, and by no socket of ours. Its device and its session
// are the client's party id behind a prefix that nobody else's have.

/// What devices and sessions of clients in the room begin with.
public enum RoomSide {
    /// Refused as the beginning of a device's name that a client of ours chooses.
    public static let prefix = "room/"
    /// Bytes of a party id. Longer ones are none.
    public static let partyLength = 200

    /// Device and session of a party.
    public static func name(_ party: String) -> String { prefix + party }
}

extension Participant {
    /// The id of the party in the room that has the user's place; `nil` for whoever is in the call by a socket or by REST.
    public var roomParty: String? {
        guard let deviceID, deviceID.hasPrefix(RoomSide.prefix) else { return nil }
        return String(deviceID.dropFirst(RoomSide.prefix.count))
    }
}

extension Call {
    /// Whether somebody takes part in it in the room.
    public var isInRoom: Bool { participants.contains { $0.roomParty != nil } }

    /// Whether everybody who takes part in it does so in the room: this server hears of its end only if somebody says so.
    public var isOfRoomAlone: Bool {
        state != .ended && !present.isEmpty && present.allSatisfy { $0.roomParty != nil } && state != .ringing
    }

    /// Those who take part in the room now.
    public var roomSides: [Participant] { present.filter { $0.roomParty != nil } }
}

extension CallEvent {
    /// Whether it happened in the room, which need not be told of it.
    public var isOfRoom: Bool { deviceID?.hasPrefix(RoomSide.prefix) == true }
}

/// The whole state of one call: what the store keeps, what the state machine moves.
public struct Call: Hashable, Sendable {
    /// The call's name.
    public let id: CallID
    /// The room it belongs to; one room has at most one call that has not ended.
    public let roomID: String
    /// Voice, or video.
    public package(set) var callType: CallType
    /// Whether more than two may take part.
    public let isGroup: Bool
    /// Whether its participants are told to use relayed candidates only.
    public let isRelayOnly: Bool
    /// Where it is in its life.
    public package(set) var state: CallState
    /// Who placed it.
    public let createdBy: UserID
    /// When it was placed.
    public let createdAt: Timestamp
    /// When it was first answered.
    public package(set) var answeredAt: Timestamp?
    /// When it ended.
    public package(set) var endedAt: Timestamp?
    /// Why it ended.
    public package(set) var endReason: EndReason?
    /// Who ended it; `nil` if time did.
    public package(set) var endedBy: UserID?
    /// The number of its newest event. The first is 1, none is skipped.
    public package(set) var sequence: Int64
    /// Counts committed changes of anything but `sequence`; a commit names the version it began from.
    public package(set) var version: Int64
    /// The creator first, then the invited in the order they were named.
    public package(set) var participants: [Participant]
    /// When whoever has not answered counts as having missed it.
    public package(set) var ringDeadline: Timestamp?
    /// When an answered call that has not become active counts as failed; in an active one, when the first of those
    /// whom no socket has joined loses the place.
    public package(set) var connectDeadline: Timestamp?
    /// When an ended call's signals are to be deleted.
    public package(set) var purgeDeadline: Timestamp?

    /// A call as the store knows it.
    public init(
        id: CallID,
        roomID: String,
        callType: CallType,
        isGroup: Bool,
        isRelayOnly: Bool,
        state: CallState,
        createdBy: UserID,
        createdAt: Timestamp,
        answeredAt: Timestamp? = nil,
        endedAt: Timestamp? = nil,
        endReason: EndReason? = nil,
        endedBy: UserID? = nil,
        sequence: Int64,
        version: Int64,
        participants: [Participant],
        ringDeadline: Timestamp? = nil,
        connectDeadline: Timestamp? = nil,
        purgeDeadline: Timestamp? = nil
    ) {
        self.id = id
        self.roomID = roomID
        self.callType = callType
        self.isGroup = isGroup
        self.isRelayOnly = isRelayOnly
        self.state = state
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.answeredAt = answeredAt
        self.endedAt = endedAt
        self.endReason = endReason
        self.endedBy = endedBy
        self.sequence = sequence
        self.version = version
        self.participants = participants
        self.ringDeadline = ringDeadline
        self.connectDeadline = connectDeadline
        self.purgeDeadline = purgeDeadline
    }
}

extension Call {
    /// The part of `user`, or `nil` for anybody outside the audience.
    public func participant(_ user: UserID) -> Participant? {
        participants.first { $0.userID == user }
    }

    /// Those who hold a place in the call now.
    public var present: [Participant] { participants.filter(\.state.isPresent) }

    /// The earliest moment at which time alone changes the call; what the sweep looks for.
    public var nextDeadline: Timestamp? {
        var earliest = [ringDeadline, connectDeadline, purgeDeadline].compactMap(\.self).min()
        for grace in participants.compactMap(\.graceDeadline) {
            earliest = earliest.map { min($0, grace) } ?? grace
        }
        return earliest
    }

    /// Those whom a joining session of `user` finds in the call, and whether it is the polite side towards each.
    ///
    /// Whoever came later is polite, so the two sides never agree on the same role, a reload included.
    public func peers(of user: UserID) -> [(userID: UserID, polite: Bool)] {
        let own = participant(user)?.sessionSequence ?? 0
        return present.filter { $0.userID != user && $0.sessionSequence > 0 }
            .map { ($0.userID, own > $0.sessionSequence) }
    }
}

/// One user's part in a call. A participant is a user; the device is the one that holds the user's place.
public struct Participant: Hashable, Sendable {
    /// Who.
    public let userID: UserID
    /// The device in the call; `nil` until one answered.
    public package(set) var deviceID: DeviceID?
    /// Where the user stands.
    public package(set) var state: ParticipantState
    /// Whether the user's microphone is on.
    public package(set) var audioEnabled: Bool
    /// Whether the user's camera is on.
    public package(set) var videoEnabled: Bool
    /// When the user created or answered the call.
    public package(set) var joinedAt: Timestamp?
    /// When the user left it.
    public package(set) var leftAt: Timestamp?
    /// The socket that joined, if one is connected now.
    public package(set) var session: SessionID?
    /// The event with which the present or last session began; 0 before the first. Later means polite.
    public package(set) var sessionSequence: Int64
    /// When a lost socket's time of grace is over.
    public package(set) var graceDeadline: Timestamp?
    /// What the relay carried for the user up to a few seconds ago; `nil` if it was not used. Counted apart from the call's
    /// versions, so no commit writes it.
    public let relay: RelayUse?

    /// A participant as the store knows it.
    public init(
        userID: UserID,
        deviceID: DeviceID? = nil,
        state: ParticipantState,
        audioEnabled: Bool = true,
        videoEnabled: Bool,
        joinedAt: Timestamp? = nil,
        leftAt: Timestamp? = nil,
        session: SessionID? = nil,
        sessionSequence: Int64 = 0,
        graceDeadline: Timestamp? = nil,
        relay: RelayUse? = nil
    ) {
        self.userID = userID
        self.deviceID = deviceID
        self.state = state
        self.audioEnabled = audioEnabled
        self.videoEnabled = videoEnabled
        self.joinedAt = joinedAt
        self.leftAt = leftAt
        self.session = session
        self.sessionSequence = sessionSequence
        self.graceDeadline = graceDeadline
        self.relay = relay
    }
}

/// Limits of Socket.IO.
public struct SocketSettings: Sendable {
    /// Time between heartbeats.
    public let pingInterval: Duration
    /// How long a heartbeat may stay unanswered.
    public let pingTimeout: Duration
    /// Largest message in bytes.
    public let maxPayload: Int
    /// Connected sockets of one user.
    public let perUser: Int
    /// Events of one socket; nil: no limit.
    public let eventRate: Rate?

    init(_ reader: SettingReader) throws(ConfigurationFailure) {
        let range = Duration.milliseconds(100)...(.seconds(3_600))
        pingInterval = try reader.duration(.socketPingInterval, in: range)
        pingTimeout = try reader.duration(.socketPingTimeout, in: range)
        maxPayload = try reader.byteCount(.socketMaxPayload, in: 1_024...(100 << 20))
        perUser = try reader.number(.socketsPerUser, in: 1...10_000)
        eventRate = try reader.value(.socketEventRate, "COUNT/UNIT with the unit s, m or h", Quantities.rate)
    }
}

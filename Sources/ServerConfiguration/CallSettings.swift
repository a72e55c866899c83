/// Rules of calls.
public struct CallSettings: Sendable {
    /// After this long a ringing call is missed.
    public let ringTimeout: Duration
    /// After this long an answered call that two sockets have not joined has failed.
    public let connectTimeout: Duration
    /// How long a participant whose socket is gone may come back.
    public let reconnectGrace: Duration
    /// Participants of a group call.
    public let maxParticipants: Int
    /// Calls started per user; nil: no limit.
    public let initiatePerUser: Rate?
    /// Calls started per client address; nil: no limit.
    public let initiatePerAddress: Rate?
    /// Whom notices of calls are posted to; nil: nobody.
    public let webhook: WebhookSettings?

    init(_ reader: SettingReader) throws(ConfigurationFailure) {
        webhook = try WebhookSettings(reader)
        let range = Duration.seconds(1)...(.seconds(86_400))
        ringTimeout = try reader.duration(.callRingTimeout, in: range)
        connectTimeout = try reader.duration(.callConnectTimeout, in: range)
        reconnectGrace = try reader.duration(.callReconnectGrace, in: range)
        maxParticipants = try reader.number(.callMaxParticipants, in: 2...100)
        let expected = "user=COUNT/UNIT,address=COUNT/UNIT with the unit s, m or h"
        let rates = try reader.list(.callInitiateRate, expected) { text -> (String, Rate)? in
            let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, ["user", "address"].contains(parts[0]) else { return nil }
            return Quantities.rate(parts[1]).map { (parts[0], $0) }
        }
        guard Set(rates.map(\.0)).count == rates.count else {
            throw reader.failure(.callInitiateRate, "names user or address twice")
        }
        initiatePerUser = rates.first { $0.0 == "user" }?.1
        initiatePerAddress = rates.first { $0.0 == "address" }?.1
    }
}

extension EngineConfiguration {
    /// The first packet of a session: `0` and what the client has to know.
    func openPacket(sessionID: String, upgrades: [JSONText]) -> EngineFrame {
        let handshake = JSONText.object([
            ("sid", .string(sessionID)),
            ("upgrades", .array(upgrades)),
            ("pingInterval", .integer(pingInterval.wholeMilliseconds)),
            ("pingTimeout", .integer(pingTimeout.wholeMilliseconds)),
            ("maxPayload", .integer(maximumPayload)),
        ])
        return .text("0" + handshake.text)
    }
}

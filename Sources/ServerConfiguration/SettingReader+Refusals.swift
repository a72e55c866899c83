import NetPrimitives

extension SettingReader {
    /// Refuses settings of features that this build does not have, instead of ignoring them.
    func refuseWhatIsNotServed() throws(ConfigurationFailure) {
        let absent: [(ConfigurationKey, String)] = [
            (.turnTLSCertificate, "TURN over TLS"),
            (.turnTLSKey, "TURN over TLS"),
            (.turnTLSPort, "TURN over TLS"),
        ]
        for (key, feature) in absent where isChanged(key) {
            throw failure(key, "this build does not serve \(feature) yet; leave the setting out")
        }
    }

    /// Refuses what would be served, but should not be.
    func refuseUnsafeCombinations(
        authentication: ServerConfiguration.Authentication,
        http: HTTPSettings,
        turn: TURNSettings?
    ) throws(ConfigurationFailure) {
        switch authentication {
        case .dev:
            guard http.hostIsLoopback else {
                throw failure(.httpHost, "AUTH_MODE=dev believes every token, so it listens on loopback only")
            }
            guard turn?.listensOnLoopbackOnly ?? true else {
                throw failure(.turnListen, "AUTH_MODE=dev believes every token, so it listens on loopback only")
            }
        case .matrix:
            guard turn?.sharedSecret != TURNSettings.SharedSecret.none else {
                throw failure(.turnSharedSecret, "is required outside dev mode; TURN_ENABLED=false needs none")
            }
        case .off:
            guard let turn else {
                throw failure(.turnEnabled, "AUTH_MODE=off serves STUN and TURN alone, and false leaves nothing")
            }
            guard turn.sharedSecret != .none || !turn.staticUsers.isEmpty else {
                throw failure(
                    .turnSharedSecret,
                    "is required outside dev mode (or TURN_STATIC_USERS with AUTH_MODE=off)"
                )
            }
        }
    }
}

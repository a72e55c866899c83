/// What a homeserver has to know of its application service (Matrix application service API, "Registration").
public struct AppServiceRegistration: Sendable {
    /// Where the homeserver reaches this server.
    public let url: String
    /// What its users' ids end in.
    public let serverName: String
    /// What this server shows: `as_token`.
    public let ownToken: String
    /// What the homeserver shows: `hs_token`.
    public let homeserversToken: String

    /// A registration of this server.
    public init(url: String, serverName: String, ownToken: String, homeserversToken: String) {
        self.url = url
        self.serverName = serverName
        self.ownToken = ownToken
        self.homeserversToken = homeserversToken
    }

    /// The file. The users are not taken from anybody: they are the homeserver's own, in whose names events are sent.
    public var yaml: String {
        """
        # Registration of callrelay as an application service. The tokens are as good as every local user's account.
        id: \(AppService.id)
        url: \(quoted(url))
        as_token: \(quoted(ownToken))
        hs_token: \(quoted(homeserversToken))
        sender_localpart: _callrelay
        rate_limited: false
        receive_ephemeral: false
        # Tells whose devices change, by which a token that was taken back is noticed at once. Synapse heeds it with
        # experimental_features: {msc3202_transaction_extensions: true}.
        org.matrix.msc3202: true
        namespaces:
          users:
            - exclusive: false
              regex: \(quoted("@.*:" + escaped(serverName)))
          rooms: []
          aliases: []

        """
    }

    /// In YAML's single quotes everything stands for itself but the quote.
    private func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }

    /// For a regular expression: of what server names consist of, these mean something else there.
    private func escaped(_ name: String) -> String {
        name.replacing(".", with: "\\.").replacing("[", with: "\\[").replacing("]", with: "\\]")
    }
}

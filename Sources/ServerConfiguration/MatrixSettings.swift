/// The homeserver whose users make calls, and who of them may.
public struct MatrixSettings: Hashable, Sendable {
    /// What homeserver and application service show each other.
    public struct AppServiceTokens: Hashable, Sendable {
        /// What this server shows.
        public let own: String
        /// What the homeserver shows.
        public let homeservers: String
    }

    /// What an encrypted room may be told of calls.
    public enum EncryptedRooms: String, Sendable {
        /// That there is a call, and nothing of how it is reached.
        case notifyOnly = "notify_only"
        /// As any other room.
        case plaintext
        /// What the caller's client encrypts and sends itself.
        case clientSends = "client_sends"
        /// There are no calls in it.
        case refuse
    }

    /// Where the homeserver's client-server API is: `https://…` or `http://…`.
    public let homeserverURL: String
    /// Where browsers reach the same.
    public let publicURL: String
    /// What its users' ids end in, behind the colon.
    public let serverName: String
    /// The tokens of an application service, if this server is one.
    public let appService: AppServiceTokens?
    /// Homeservers whose users are let in by OpenID, by name, with the URL of each one's federation API.
    public let openIDServers: [String: String]
    /// The least power in a room with which calls may be started there; nil: any.
    public let startPower: Int?
    /// What an encrypted room may be told of calls.
    public let encryptedRooms: EncryptedRooms
    /// Who may start calls: users, or `:server` for all of one; empty: everybody.
    public let starters: [String]

    /// The settings, if they are of any use; with `isInUse` false, those that restrict must not be there.
    init?(_ reader: SettingReader, isInUse: Bool) throws(ConfigurationFailure) {
        let url = try reader.value(.matrixHomeserverURL, HTTPURL.expected, HTTPURL.parse)
        let publicURL = try reader.value(.matrixPublicURL, HTTPURL.expected, HTTPURL.parse)
        let serverName = try reader.value(.matrixServerName, "a server name such as example.org", Self.serverName)
        let ownToken = try reader.value(.matrixAppServiceToken, Self.expectedToken, Self.token)
        let homeserversToken = try reader.value(.matrixHomeserverToken, Self.expectedToken, Self.token)
        switch (ownToken, homeserversToken) {
        case (nil, nil): appService = nil
        case (let own?, let homeservers?): appService = AppServiceTokens(own: own, homeservers: homeservers)
        case (nil, _?): throw reader.failure(.matrixHomeserverToken, "needs MATRIX_AS_TOKEN")
        case (_?, nil): throw reader.failure(.matrixAppServiceToken, "needs MATRIX_HS_TOKEN")
        }
        let expectedServers = "name=URL, such as example.org=https://matrix.example.org"
        let servers = try reader.list(.matrixOpenIDServers, expectedServers) { text -> (String, String)? in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let name = Self.serverName(parts[0]), let url = HTTPURL.parse(parts[1])
            else { return nil }
            return (name, url)
        }
        let power = reader.text(.matrixStartPower) == nil ? nil : try reader.number(.matrixStartPower, in: -100...1_000)
        let starters = try reader.list(
            .matrixStarters,
            "a user such as @alice:example.org, or :example.org",
            Self.starter
        )
        encryptedRooms = try reader.required(
            .matrixEncryptedRooms,
            "notify_only, plaintext, client_sends or refuse",
            EncryptedRooms.init(rawValue:)
        )
        guard isInUse else {
            for key in [
                ConfigurationKey.matrixPublicURL, .matrixServerName, .matrixAppServiceToken, .matrixHomeserverToken,
                .matrixOpenIDServers, .matrixStartPower,
                .matrixStarters,
                .matrixEncryptedRooms,
            ]
            where reader.isChanged(key) {
                throw reader.failure(key, "means something with AUTH_MODE=matrix only; leave it out")
            }
            return nil
        }
        guard let url else { throw reader.failure(.authMode, "matrix needs MATRIX_HOMESERVER_URL") }
        homeserverURL = url
        self.publicURL = publicURL ?? url
        self.serverName = serverName ?? HTTPURL.host(of: url)
        guard Set(servers.map(\.0)).count == servers.count else {
            throw reader.failure(.matrixOpenIDServers, "names a server twice")
        }
        openIDServers = Dictionary(servers) { first, _ in first }
        startPower = power
        self.starters = starters
    }

    /// A host with or without a port, as in the ids of users.
    private static func serverName(_ text: String) -> String? {
        let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-:[]".contains($0)) }
        return isPlain && !text.isEmpty && !text.hasPrefix(":") && text.utf8.count <= 230 ? text : nil
    }

    private static let expectedToken = "a token of at least 16 characters without spaces"

    private static func token(_ text: String) -> String? {
        text.utf8.count >= 16 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? text : nil
    }

    private static func starter(_ text: String) -> String? {
        if text.hasPrefix(":") { return serverName(String(text.dropFirst())) == nil ? nil : text }
        let isPlain = text.allSatisfy { $0.isASCII && !$0.isWhitespace }
        return isPlain && text.hasPrefix("@") && text.contains(":") ? text : nil
    }
}

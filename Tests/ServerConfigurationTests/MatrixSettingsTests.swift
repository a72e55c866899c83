import Testing

@testable import ServerConfiguration

@Suite("Settings of the homeserver")
struct MatrixSettingsTests {
    private static let matrix = [
        "MATRIX_HOMESERVER_URL": "https://matrix.example.org:8448/", "TURN_SHARED_SECRET": "secret",
    ]

    private func settings(_ changes: [String: String] = [:]) throws -> MatrixSettings {
        try #require(try configuration(Self.matrix.merging(changes) { $1 }).matrix)
    }

    @Test("a homeserver's URL makes the mode, and is its name if nobody says otherwise")
    func defaults() throws {
        let found = try configuration(Self.matrix)
        #expect(found.authentication == .matrix)
        #expect(try settings().serverName == "matrix.example.org")
        #expect(try settings().publicURL == "https://matrix.example.org:8448/")
        #expect(try settings().encryptedRooms == .notifyOnly && settings().appService == nil)
        #expect(try settings().startPower == nil && settings().starters.isEmpty)
        #expect(try settings(["MATRIX_SERVER_NAME": "example.org"]).serverName == "example.org")
        #expect(try settings(["MATRIX_PUBLIC_URL": "https://hs.example"]).publicURL == "https://hs.example")
        #expect(try configuration(["AUTH_MODE": "dev", "MATRIX_HOMESERVER_URL": "https://a.example"]).matrix == nil)
        #expect(try configuration(["MATRIX_HOMESERVER_URL": ""]).authentication == .dev)
    }

    @Test("lists and tokens are read")
    func values() throws {
        let found = try settings([
            "MATRIX_OPENID_SERVERS": "a.example=https://matrix.a.example, b.example:8448=http://127.0.0.1:8008",
            "MATRIX_STARTERS": "@alice:example.org,:b.example", "MATRIX_START_POWER": "50",
            "MATRIX_ENCRYPTED_ROOMS": "refuse", "MATRIX_AS_TOKEN": "0123456789abcdef",
            "MATRIX_HS_TOKEN": "fedcba9876543210",
        ])
        #expect(
            found.openIDServers == [
                "a.example": "https://matrix.a.example", "b.example:8448": "http://127.0.0.1:8008",
            ]
        )
        #expect(found.starters == ["@alice:example.org", ":b.example"] && found.startPower == 50)
        #expect(found.encryptedRooms == .refuse)
        #expect(found.appService == .init(own: "0123456789abcdef", homeservers: "fedcba9876543210"))
    }

    @Test(
        "what is wrong is refused by its name",
        arguments: [
            ("MATRIX_HOMESERVER_URL", "matrix.example.org"), ("MATRIX_HOMESERVER_URL", "https://user:pw@a.example"),
            ("MATRIX_PUBLIC_URL", "ftp://a.example"), ("MATRIX_SERVER_NAME", "@alice:example.org"),
            ("MATRIX_OPENID_SERVERS", "a.example"), ("MATRIX_OPENID_SERVERS", "=https://a.example"),
            ("MATRIX_OPENID_SERVERS", "a.example=https://a.example,a.example=https://b.example"),
            ("MATRIX_STARTERS", "alice"), ("MATRIX_STARTERS", "@alice"), ("MATRIX_STARTERS", ":"),
            ("MATRIX_START_POWER", "high"), ("MATRIX_ENCRYPTED_ROOMS", "full"), ("MATRIX_AS_TOKEN", "0123456789abcdef"),
            ("MATRIX_HS_TOKEN", "0123456789abcdef"), ("MATRIX_HS_TOKEN", "short"), ("TURN_SHARED_SECRET", ""),
        ]
    )
    func wrong(key: String, value: String) {
        let failure = #expect(throws: ConfigurationFailure.self) { _ = try settings([key: value]) }
        #expect(failure?.setting == "\(key) (environment)")
    }

    @Test(
        "what would restrict nobody outside the mode is refused there",
        arguments: [
            ("MATRIX_SERVER_NAME", "a.example"), ("MATRIX_STARTERS", ":a.example"), ("MATRIX_START_POWER", "50"),
            ("MATRIX_ENCRYPTED_ROOMS", "refuse"), ("MATRIX_OPENID_SERVERS", "a.example=https://a.example"),
            ("MATRIX_PUBLIC_URL", "https://a.example"),
        ]
    )
    func outside(key: String, value: String) {
        let failure = #expect(throws: ConfigurationFailure.self) { _ = try configuration([key: value]) }
        #expect(failure?.setting == "\(key) (environment)")
    }

    @Test("without the relay no secret is needed")
    func withoutRelay() throws {
        let environment = ["MATRIX_HOMESERVER_URL": "https://a.example", "TURN_ENABLED": "false"]
        #expect(try configuration(environment).sharedSecretTexts.isEmpty)
    }

    @Test(
        "the host of a URL is found",
        arguments: [
            ("https://a.example", "a.example"), ("http://[::1]:8008/x", "[::1]"),
            ("https://a.example:1/b?c", "a.example"),
        ]
    )
    func hosts(url: String, host: String) {
        #expect(HTTPURL.host(of: url) == host)
    }
}

import ServerConfiguration
import Testing

@Suite("Sources of the configuration")
struct SourcesTests {
    @Test("a flag beats the environment, that beats .env, that beats the file, that beats the default")
    func precedence() throws {
        var sources = ConfigurationSources(
            flags: try CommandLineSettings.parse(["--http-port", "1"]),
            environment: ["HTTP_PORT": "2"],
            dotEnv: try KeyValueFile.parse("HTTP_PORT=3", path: ".env"),
            file: try KeyValueFile.parse("HTTP_PORT=4", path: "server.conf")
        )
        #expect(try configuration(sources).http.port == 1)
        sources.flags = []
        #expect(try configuration(sources).http.port == 2)
        sources.environment = [:]
        #expect(try configuration(sources).http.port == 3)
        sources.dotEnv = []
        #expect(try configuration(sources).http.port == 4)
        sources.file = []
        #expect(try configuration(sources).http.port == 3000)
    }

    @Test("a weaker source's value is not read at all, however malformed")
    func shadowedValueIsIgnored() throws {
        let sources = ConfigurationSources(
            flags: try CommandLineSettings.parse(["--turn-port=3479"]),
            environment: ["TURN_PORT": "tcp://10.0.0.1:3478"]
        )
        #expect(try configuration(sources).turn?.port == 3479)
    }

    @Test("flags may carry their value after a blank or an equals sign; the last of several counts")
    func flagForms() throws {
        let flags = try CommandLineSettings.parse(["--log-level", "debug", "--http-port=1", "--http-port=2"])
        let configuration = try configuration(ConfigurationSources(flags: flags))
        #expect(configuration.logging.level == .debug)
        #expect(configuration.http.port == 2)
    }

    @Test(
        "unknown names fail in flags and files",
        arguments: [
            (["--http-prot", "1"], "", "", "--http-prot: unknown flag"),
            (["serve-more"], "", "", "serve-more: unexpected argument"),
            (["--http-port"], "", "", "--http-port: a value is missing"),
            ([], "HTTP_PROT=1", "", "HTTP_PROT (.env, line 1): unknown setting"),
            ([], "", "\n# words\nHTTP_PROT=1", "HTTP_PROT (server.conf, line 3): unknown setting"),
            ([], "HTTP_PORT=1\nHTTP_PORT=2", "", "HTTP_PORT (.env, line 2): set twice"),
            ([], "HTTP_PORT", "", ".env, line 1: expected KEY=VALUE"),
            ([], "TURN_REALM=\"open", "", "TURN_REALM (.env, line 1): the closing quote"),
            ([], "HTTP_PORT_FILE=x", "", "HTTP_PORT_FILE (.env, line 1): unknown setting"),
        ]
    )
    func unknownNames(flags: [String], dotEnv: String, file: String, message: String) {
        let failure = #expect(throws: ConfigurationFailure.self) {
            let sources = ConfigurationSources(
                flags: try CommandLineSettings.parse(flags),
                dotEnv: try KeyValueFile.parse(dotEnv, path: ".env"),
                file: try KeyValueFile.parse(file, path: "server.conf")
            )
            _ = try configuration(sources)
        }
        #expect(failure?.description.hasPrefix(message) == true, "\(failure?.description ?? "nothing")")
    }

    @Test("unknown names in the environment are other programs' business")
    func unknownEnvironment() throws {
        let sources = ConfigurationSources(environment: ["HTTP_PROT": "1", "PATH": "/bin"])
        #expect(try configuration(sources).http.port == 3000)
    }

    @Test("a malformed value in the environment fails by name, Kubernetes' service links with a hint")
    func kubernetes() {
        let failure = #expect(throws: ConfigurationFailure.self) {
            _ = try configuration(ConfigurationSources(environment: ["TURN_PORT": "tcp://10.0.0.1:3478"]))
        }
        #expect(failure?.setting == "TURN_PORT (environment)")
        #expect(failure?.problem.contains("tcp://10.0.0.1:3478") == true)
        #expect(failure?.problem.contains("Kubernetes") == true)
    }

    @Test("a file's values may be quoted, commented and exported")
    func fileForms() throws {
        let text = """
            # a comment
            export TURN_REALM = "two words # kept"   # dropped

            TURN_SHARED_SECRET='a#b'
            TURN_STATIC_USERS=alice:p#ss # dropped
            LOG_LEVEL=
            """
        let settings = try KeyValueFile.parse(text, path: ".env")
        #expect(settings.map(\.name) == ["TURN_REALM", "TURN_SHARED_SECRET", "TURN_STATIC_USERS", "LOG_LEVEL"])
        #expect(settings.map(\.value) == ["two words # kept", "a#b", "alice:p#ss", ""])
        #expect(settings[1].origin == .file(path: ".env", line: 4))
    }

    @Test("a secret may stand in a file of its own, with line ends at its end")
    func secretFile() throws {
        let sources = ConfigurationSources(environment: ["TURN_SHARED_SECRET_FILE": "/run/secrets/turn"])
        let configuration = try ServerConfiguration(sources) { $0 == "/run/secrets/turn" ? "first,second\r\n\n" : nil }
        #expect(configuration.turn?.sharedSecret == .given(["first", "second"]))
    }

    @Test("a secret's file that cannot be read fails by the name that was given")
    func unreadableSecretFile() {
        let failure = #expect(throws: ConfigurationFailure.self) {
            _ = try configuration(ConfigurationSources(environment: ["TURN_CREDENTIAL_FILE": "/nowhere"]))
        }
        #expect(failure?.description == "TURN_CREDENTIAL_FILE (environment): cannot read \"/nowhere\"")
    }

    @Test("a secret given twice in one place fails, in two places the stronger counts")
    func secretTwice() throws {
        var sources = ConfigurationSources(
            environment: ["TURN_SHARED_SECRET_FILE": "x", "TURN_SHARED_SECRET": "direct"]
        )
        #expect(throws: ConfigurationFailure.self) { _ = try ServerConfiguration(sources) { _ in "file" } }
        sources.environment = ["TURN_SHARED_SECRET_FILE": "x"]
        sources.dotEnv = try KeyValueFile.parse("TURN_SHARED_SECRET=weaker", path: ".env")
        let configuration = try ServerConfiguration(sources) { _ in "file" }
        #expect(configuration.turn?.sharedSecret == .given(["file"]))
    }
}

/// Reads sources that name no secret's file.
func configuration(_ sources: ConfigurationSources) throws -> ServerConfiguration {
    try ServerConfiguration(sources) { _ in nil }
}

/// Reads an environment alone.
func configuration(_ environment: [String: String]) throws -> ServerConfiguration {
    try configuration(ConfigurationSources(environment: environment))
}

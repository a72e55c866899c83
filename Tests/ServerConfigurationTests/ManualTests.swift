import Foundation
import ServerConfiguration
import Testing

@Suite("The settings' manual")
struct ManualTests {
    @Test(".env.example is what the settings' table says; CALLRELAY_WRITE_ENV_EXAMPLE=1 writes it anew")
    func environmentExample() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../.env.example")
        if ProcessInfo.processInfo.environment["CALLRELAY_WRITE_ENV_EXAMPLE"] == "1" {
            try Manual.environmentExample.write(to: path, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: path, encoding: .utf8) == Manual.environmentExample)
    }

    @Test(".env.example lists every key once, and uncommented its defaults are the defaults")
    func exampleListsAll() throws {
        let uncommented = Manual.environmentExample.split(separator: "\n")
            .filter { $0.hasPrefix("#") && !$0.hasPrefix("# ") }.map { $0.dropFirst() }
        let settings = try KeyValueFile.parse(uncommented.joined(separator: "\n"), path: ".env")
        #expect(settings.map(\.name) == ConfigurationKey.allCases.map(\.rawValue))
        for (setting, key) in zip(settings, ConfigurationKey.allCases) {
            if case .value(let text) = key.description.default { #expect(setting.value == text) }
            if case .none = key.description.default { #expect(setting.value.isEmpty) }
        }
    }

    @Test("an untouched copy of .env.example changes nothing")
    func exampleIsInert() throws {
        #expect(try KeyValueFile.parse(Manual.environmentExample, path: ".env").isEmpty)
    }

    @Test("--help names every key and its flag")
    func help() {
        for key in ConfigurationKey.allCases {
            #expect(Manual.settings.contains("\(key.flag), \(key.rawValue)\n"))
        }
        #expect(ConfigurationKey.httpTLSCertificate.flag == "--http-tls-cert")
    }
}

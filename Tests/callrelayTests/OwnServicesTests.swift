import NetPrimitives
import ServerConfiguration
import Testing

@testable import callrelay

@Suite("Own services")
struct OwnServicesTests {
    private func endpoints(_ environment: [String: String]) throws -> Set<String> {
        let interfaces = try ["192.0.2.1", "2001:db8::1"].map { try IPAddress(parsing: $0) }
        let configuration = try ServerConfiguration(ConfigurationSources(environment: environment)) { _ in nil }
        return Set(OwnServices.endpoints(configuration, interfaces: interfaces).map(\.description))
    }

    @Test("the HTTP side is a service of ours by default, by name and by address")
    func http() throws {
        #expect(try endpoints([:]) == ["127.0.0.1:3000"])
        #expect(try endpoints(["HTTP_HOST": "localhost", "HTTP_PORT": "80"]) == ["127.0.0.1:80", "[::1]:80"])
    }

    @Test("metrics are one, beside a relay alone as well")
    func metrics() throws {
        let own = ["METRICS_LISTEN": "192.0.2.1:9090"]
        #expect(try endpoints(own) == ["127.0.0.1:3000", "192.0.2.1:9090"])
        let alone = ["AUTH_MODE": "off", "TURN_SHARED_SECRET": "a long enough secret"]
        #expect(try endpoints(own.merging(alone) { one, _ in one }) == ["192.0.2.1:9090"])
    }

    @Test("a wildcard stands for every address of its family, and :: for those of both")
    func wildcard() throws {
        let interfaces = try ["192.0.2.1", "2001:db8::1"].map { try IPAddress(parsing: $0) }
        let four = OwnServices.addresses("0.0.0.0", interfaces: interfaces)
        #expect(Set(four.map(\.description)) == ["192.0.2.1", "127.0.0.1"])
        let six = OwnServices.addresses("::", interfaces: interfaces)
        #expect(Set(six.map(\.description)) == ["192.0.2.1", "2001:db8::1", "127.0.0.1", "::1"])
    }

    @Test("a relay alone has no HTTP side")
    func relayAlone() throws {
        let settings = ["AUTH_MODE": "off", "TURN_SHARED_SECRET": "north"]
        #expect(try endpoints(settings).isEmpty)
    }
}

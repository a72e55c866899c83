import NetPrimitives
import Testing

@testable import CallAPI

@Suite("Client addresses")
struct ClientAddressTests {
    @Test(
        "X-Forwarded-For counts as far as trusted proxies wrote it",
        arguments: [
            ("192.0.2.9", ["203.0.113.1"], "192.0.2.9"),
            ("10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", ["198.51.100.7, 203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", ["198.51.100.7, 203.0.113.1", "10.0.0.2"], "203.0.113.1"),
            ("10.0.0.1", ["203.0.113.1:4711"], "203.0.113.1"),
            ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", ["unknown"], "10.0.0.1"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("::ffff:10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ]
    )
    func resolve(peer: String, forwarded: [String], expected: String) throws {
        let proxies = ClientAddress(trustedProxies: [try IPPrefix(parsing: "10.0.0.0/8")])
        let address = try IPAddress(parsing: expected)
        #expect(proxies.resolve(peer: peer, forwardedFor: forwarded) == address)
    }

    @Test("the rate of one IPv6 client counts for its whole /64, and is given back with time")
    func rate() throws {
        let rate = InitiateRate(count: 2, period: .seconds(60))
        let limiter = InitiateRateLimiter(perUser: nil, perAddress: rate)
        let now = ContinuousClock.now
        let addresses = try ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map { try IPAddress(parsing: $0) }
        let other = try IPAddress(parsing: "2001:db8:0:1::1")
        #expect(limiter.admit(user: "a", address: addresses[0], now: now) == nil)
        #expect(limiter.admit(user: "b", address: addresses[1], now: now) == nil)
        #expect(limiter.admit(user: "c", address: addresses[2], now: now) == .seconds(30))
        #expect(limiter.admit(user: "c", address: other, now: now) == nil)
        #expect(limiter.admit(user: "c", address: addresses[2], now: now + .seconds(30)) == nil)
    }
}

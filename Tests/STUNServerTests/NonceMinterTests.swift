import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import STUNServer

@Suite("NonceMinter")
struct NonceMinterTests {
    private let client = Endpoint(address: IPAddress(ipv4: 0xC000_0201), port: 40_000)
    private let minter = NonceMinter(key: Self.key(1), realm: "callrelay", features: .passwordAlgorithms)
    private let now: UInt64 = 1_900_000_000

    private static func key(_ seed: UInt64) -> NonceKey {
        var generator = SeededGenerator(seed: seed)
        return NonceKey(using: &generator)
    }

    private func isGood(_ nonce: String, at seconds: UInt64? = nil, from address: IPAddress? = nil) -> Bool {
        let bytes = Array(nonce.utf8)
        return minter.isGood(
            bytes.span.rawBytes,
            for: address ?? client.address,
            unixSeconds: seconds ?? now
        )
    }

    @Test("begins with the nonce cookie of its features, stays short, and needs no quoting")
    func form() {
        let nonce = minter.mint(for: client, unixSeconds: now)
        #expect(nonce.hasPrefix("obMatJos2AAAB"))
        #expect(nonce.utf8.count == 40)
        let isText = nonce.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        #expect(isText)
    }

    @Test("is good for 600 seconds, from any port of the same address")
    func lifetime() {
        let nonce = minter.mint(for: client, unixSeconds: now)
        #expect([0, 1, 599].allSatisfy { isGood(nonce, at: now + $0) })
        #expect([600, 601, 100_000].allSatisfy { !isGood(nonce, at: now + $0) })
        #expect(!isGood(nonce, at: now - 1))
    }

    @Test("lives through the ends of the two bytes in which it carries its expiry, and does not come back with them")
    func wrapAround() {
        for end in [now | 0xFFFF, UInt64(UInt32.max)] {
            let nonce = minter.mint(for: client, unixSeconds: end - 10)
            #expect(isGood(nonce, at: end + 100))
            #expect(!isGood(nonce, at: end + 591))
            #expect((1...3).allSatisfy { !isGood(nonce, at: end + 100 + $0 << 16) })
        }
    }

    @Test("other features than the server's make it a foreign nonce")
    func alteredFeatures() {
        let nonce = minter.mint(for: client, unixSeconds: now)
        for bits in UInt32(0)..<8 where bits != 1 {
            let altered = SecurityFeatures(rawValue: bits).cookie + nonce.dropFirst(13)
            #expect(!isGood(altered), "\(altered)")
        }
    }

    @Test("belongs to one address, one realm and one key, and differs by port")
    func binding() {
        let nonce = minter.mint(for: client, unixSeconds: now)
        #expect(!isGood(nonce, from: IPAddress(ipv4: 0xC000_0202)))
        #expect(!isGood(nonce, from: IPAddress(ipv6High: 0, low: 0xC000_0201)))
        let otherRealm = NonceMinter(key: Self.key(1), realm: "callrelax", features: .passwordAlgorithms).mint(
            for: client,
            unixSeconds: now
        )
        let otherKey = NonceMinter(key: Self.key(2), realm: "callrelay", features: .passwordAlgorithms).mint(
            for: client,
            unixSeconds: now
        )
        #expect(!isGood(otherRealm) && !isGood(otherKey))
        let otherPort = Endpoint(address: client.address, port: 40_001)
        let other = minter.mint(for: otherPort, unixSeconds: now)
        #expect(other != nonce)
        #expect(isGood(other))
    }

    @Test("no character of it can change, go or come")
    func forged() {
        let nonce = minter.mint(for: client, unixSeconds: now)
        let characters = Array(nonce)
        for place in characters.indices {
            for replacement in ["A", "B", "_", "=", "\u{E9}"] where replacement != String(characters[place]) {
                var changed = characters.map { String($0) }
                changed[place] = replacement
                #expect(!isGood(changed.joined()))
            }
        }
        for length in 0..<nonce.count { #expect(!isGood(String(nonce.prefix(length)))) }
        #expect(!isGood(nonce + "A"))
        #expect(!isGood(nonce + "="))
    }
}

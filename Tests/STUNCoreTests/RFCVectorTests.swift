import NetPrimitives
import STUNCore
import TestSupport
import Testing

@Suite("RFC 5769 and RFC 8489 sample messages")
struct RFCVectorTests {
    private let shortTermKey = IntegrityKey.shortTerm(password: "VOkJxbRl1RmTxUk/WvJxBt")
    private let user = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}"

    @Test("RFC 5769 §2.1: request with short-term credentials")
    func sampleRequest() throws {
        let bytes = Vectors.sampleRequest
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let (type, software, username) = (message.type, message.text(.software), message.text(.username))
        let isSealed = message.verifyIntegrity(.sha1, key: shortTermKey)
        let (isMarked, fingerprint) = (message.isFingerprintRight, message.fingerprint)
        #expect(type == MessageType(.binding, .request))
        #expect(software == "STUN test client")
        #expect(username == "evtj:h6vY")
        #expect(isSealed && isMarked && fingerprint != nil)
    }

    @Test(
        "RFC 5769 §2.2 and §2.3: responses with an IPv4 and an IPv6 address",
        arguments: [
            (Vectors.ipv4Response, "192.0.2.1:32853"),
            (Vectors.ipv6Response, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
        ]
    )
    func sampleResponse(bytes: [UInt8], mapped: String) throws {
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let (type, address) = (message.type, message.xorAddress(.xorMappedAddress))
        let isSealed = message.verifyIntegrity(.sha1, key: shortTermKey)
        let (isMarked, fingerprint) = (message.isFingerprintRight, message.fingerprint)
        #expect(type == MessageType(.binding, .success))
        #expect(address?.description == mapped)
        #expect(isSealed && isMarked && fingerprint != nil)
    }

    @Test("RFC 5769 §2.2 and §2.3: the builder writes the same addresses", arguments: [4, 6])
    func builtAddress(family: Int) throws {
        let bytes = family == 4 ? Vectors.ipv4Response : Vectors.ipv6Response
        let view = try MessageView(parsing: bytes.span.rawBytes)
        let (found, mapped) = (view.first(.xorMappedAddress), view.xorAddress(.xorMappedAddress))
        let (attribute, endpoint) = (try #require(found), try #require(mapped))
        let built = stunMessage(view.type, view.transactionID) { $0.appendXORAddress(.xorMappedAddress, endpoint) }
        #expect(Array(built[20...]) == Array(bytes[attribute.offset..<attribute.end]))
    }

    @Test("RFC 5769 §2.4: request with long-term credentials, read and written")
    func longTermRequest() throws {
        let key = IntegrityKey.longTerm(username: user, realm: "example.org", password: "TheMatrIX")
        let bytes = Vectors.longTermRequest
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let texts = [message.text(.username), message.text(.nonce), message.text(.realm)]
        let isSealed = message.verifyIntegrity(.sha1, key: key)
        let (fingerprint, transactionID) = (message.fingerprint, message.transactionID)
        #expect(texts == [user, "f//499k954d6OL34oL9FSTvy64sA", "example.org"])
        #expect(isSealed && fingerprint == nil)
        let seal = IntegritySeal(key: key, algorithm: .sha1)
        let built = stunMessage(MessageType(.binding, .request), transactionID, sealedBy: seal) { builder in
            builder.appendUsername(user)
            builder.appendNonce("f//499k954d6OL34oL9FSTvy64sA")
            builder.appendRealm("example.org")
        }
        #expect(built == Vectors.longTermRequest)
    }

    @Test("RFC 8489 appendix B.1 with erratum 6268: SHA-256 and USERHASH, read and written")
    func userhashRequest() throws {
        let key = IntegrityKey.longTerm(.sha256, username: user, realm: "example.org", password: "TheMatrIX")
        let userhash = Userhash(username: user, realm: "example.org")
        let nonce = "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"
        let bytes = Vectors.userhashRequest
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let texts = [message.text(.nonce), message.text(.realm), message.text(.username)]
        let (hash, algorithm, transactionID) = (message.userhash, message.passwordAlgorithm, message.transactionID)
        let isSealed = message.verifyIntegrity(.sha256, key: key)
        let isSealedBySHA1 = message.verifyIntegrity(.sha1, key: key)
        #expect(texts == [nonce, "example.org", nil])
        #expect(hash == userhash)
        #expect(algorithm == .sha256)
        #expect(isSealed && !isSealedBySHA1)
        let seal = IntegritySeal(key: key, algorithm: .sha256)
        let built = stunMessage(MessageType(.binding, .request), transactionID, sealedBy: seal) { builder in
            builder.appendUserhash(userhash)
            builder.appendNonce(nonce)
            builder.appendRealm("example.org")
            builder.appendPasswordAlgorithm(.sha256)
        }
        #expect(built == Vectors.userhashRequest)
    }

    @Test("no bit of a sample can change unnoticed", arguments: [Vectors.sampleRequest, Vectors.ipv6Response])
    func everyBitCounts(bytes: [UInt8]) throws {
        // Behind MESSAGE-INTEGRITY stands FINGERPRINT alone, which covers itself.
        for place in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[place] ^= 1 << bit
                guard let message = try? MessageView(parsing: changed.span.rawBytes) else { continue }
                let isUnchanged =
                    message.verifyIntegrity(.sha1, key: shortTermKey) && message.fingerprint != nil
                    && message.isFingerprintRight
                #expect(!isUnchanged, "bit \(bit) of byte \(place)")
            }
        }
    }
}

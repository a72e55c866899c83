import NetPrimitives
import STUNCore
import TestSupport
import Testing

@Suite("MessageView")
struct MessageViewTests {
    private let request = MessageType(.allocate, .request)

    @Test("every method and class survives the interleaving of their bits")
    func messageTypes() {
        for method in UInt16(0)...0xFFF {
            for messageClass in [MessageClass.request, .indication, .success, .error] {
                let type = MessageType(MessageMethod(rawValue: method), messageClass)
                #expect(MessageType(rawValue: type.rawValue) == type)
            }
        }
        #expect(MessageType(.allocate, .error).rawValue == 0x0113)
        #expect(MessageType(.send, .indication).rawValue == 0x0016)
        #expect(MessageType(rawValue: 0x4001) == nil && MessageType(rawValue: 0x8001) == nil)
    }

    @Test("says what is wrong with bytes that are no message")
    func malformed() {
        let good = stunMessage(request) { $0.appendLifetime(seconds: 600) }
        func failure(_ change: (inout [UInt8]) -> Void) -> MessageFailure? {
            var bytes = good
            change(&bytes)
            do throws(MessageFailure) {
                _ = try MessageView(parsing: bytes.span.rawBytes)
                return nil
            } catch {
                return error
            }
        }
        #expect(failure { _ in } == nil)
        #expect(failure { $0.removeAll() } == .truncated)
        #expect(failure { $0.removeLast($0.count - 19) } == .truncated)
        #expect(failure { $0[0] |= 0x80 } == .notSTUN)
        #expect(failure { $0[4] ^= 1 } == .magicCookie)
        #expect(failure { $0[3] += 1 } == .length)
        #expect(failure { $0[3] -= 4 } == .length)
        #expect(failure { $0 += [0, 0, 0, 0] } == .length)
        #expect(failure { $0[23] = 5 } == .attributeOverrun)
        #expect(failure { $0[22] = 0xFF } == .attributeOverrun)
    }

    @Test("of several attributes of one type the first counts")
    func duplicates() throws {
        let bytes = stunMessage(request) { builder in
            builder.appendLifetime(seconds: 1)
            builder.appendLifetime(seconds: 2)
        }
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let lifetime = message.lifetimeSeconds
        #expect(lifetime == 1)
    }

    @Test("what stands behind MESSAGE-INTEGRITY does not exist, but for SHA-256 and FINGERPRINT")
    func behindIntegrity() throws {
        let key = IntegrityKey.shortTerm(password: "secret")
        var bytes = stunMessage(request, sealedBy: IntegritySeal(key: key, algorithm: .sha1)) { builder in
            builder.appendUsername("alice")
        }
        bytes += attribute(.lifetime, [0, 0, 0, 9]) + attribute(.messageIntegrity, [UInt8](repeating: 1, count: 20))
        bytes += attribute(.messageIntegritySHA256, [UInt8](repeating: 2, count: 32))
        bytes += attribute(.realm, [0x61, 0x61, 0x61, 0x61]) + attribute(.fingerprint, [0, 0, 0, 0])
        fixLength(&bytes)
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let (username, lifetime, realm) = (message.text(.username), message.lifetimeSeconds, message.text(.realm))
        #expect(username == "alice")
        #expect(lifetime == nil)
        #expect(realm == nil)
        let offsets = [message.messageIntegrity, message.messageIntegritySHA256, message.fingerprint].map { $0?.offset }
        #expect(offsets == [32, 88, 132])
        // The later attributes moved the header's length; the code is still right, since it covers its own end only.
        let isSealed = message.verifyIntegrity(.sha1, key: key)
        #expect(isSealed)
    }

    @Test("behind MESSAGE-INTEGRITY-SHA256 a MESSAGE-INTEGRITY does not exist")
    func behindSHA256() throws {
        let seal = IntegritySeal(key: .shortTerm(password: "secret"), algorithm: .sha256)
        var bytes = stunMessage(request, sealedBy: seal)
        bytes += attribute(.messageIntegrity, [UInt8](repeating: 1, count: 20))
        fixLength(&bytes)
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let (sha1, algorithm) = (message.messageIntegrity, message.integrityAlgorithm)
        #expect(sha1 == nil)
        #expect(algorithm == .sha256)
    }

    @Test("FINGERPRINT counts only if it is right and last")
    func fingerprint() throws {
        func isRight(_ bytes: [UInt8]) throws -> Bool {
            let message = try MessageView(parsing: bytes.span.rawBytes)
            return message.isFingerprintRight
        }
        let good = stunMessage(request, fingerprint: true) { $0.appendLifetime(seconds: 600) }
        #expect(try isRight(good))
        #expect(try isRight(stunMessage(request)))
        var changed = good
        changed[25] ^= 1
        #expect(try !isRight(changed))
        var notLast = good + attribute(.software, [])
        fixLength(&notLast)
        #expect(try !isRight(notLast))
    }

    @Test("whatever comes, nothing traps and every attribute lies inside the message")
    func anyBytes() throws {
        let seal = IntegritySeal(key: .shortTerm(password: "secret"), algorithm: .sha256)
        try checkProperty("MessageView takes any bytes", iterations: 20_000) { generator in
            var bytes = generator.oneIn(3) ? generator.randomDatagram() : generator.stunMessage(seal: seal)
            if generator.oneIn(2) { bytes = generator.mutated(bytes) }
            _ = ChannelData(datagram: bytes.span.rawBytes)
            let message: MessageView
            do throws(MessageFailure) { message = try MessageView(parsing: bytes.span.rawBytes) } catch { return }
            var reader = message.attributes
            while let attribute = reader.next() {
                try claim(attribute.valueOffset >= 24 && attribute.end <= bytes.count, "\(attribute)")
                let length = message.value(of: attribute).byteCount
                try claim(length == attribute.length, "\(attribute)")
                _ = message.xorAddress(attribute)
            }
            readEverything(message, key: seal.key)
        }
    }
}

private func attribute(_ type: AttributeType, _ value: [UInt8]) -> [UInt8] {
    let header = [type.rawValue >> 8, type.rawValue & 255, UInt16(value.count) >> 8, UInt16(value.count) & 255]
    return header.map { UInt8($0) } + value
}

private func fixLength(_ bytes: inout [UInt8]) {
    bytes[2] = UInt8((bytes.count - 20) >> 8)
    bytes[3] = UInt8((bytes.count - 20) & 255)
}

private func readEverything(_ message: MessageView, key: IntegrityKey) {
    _ = (message.mappedAddress, message.errorCode, message.errorReason, message.unknownAttributes)
    _ = (message.channelNumber, message.lifetimeSeconds, message.requestedTransport, message.requestedAddressFamily)
    _ = (message.additionalAddressFamily, message.evenPort, message.reservationToken, message.dontFragment)
    _ = (message.dataRange, message.userhash, message.passwordAlgorithm, message.passwordAlgorithms)
    _ = (message.addressErrorCode, message.alternateServers, message.icmp)
    _ = (message.text(.username), message.text(.realm), message.text(.nonce), message.isFingerprintRight)
    _ = (message.verifyIntegrity(.sha1, key: key), message.verifyIntegrity(.sha256, key: key))
}

import NetPrimitives
import STUNCore
import TestSupport
import Testing

@Suite("Attributes")
struct AttributeTests {
    @Test("what is written is read back, whatever the values")
    func roundTrip() throws {
        try checkProperty("attributes survive the wire", iterations: 500) { generator in
            let peer = generator.endpoint()
            let relayed = generator.endpoint()
            let lifetime = UInt32(truncatingIfNeeded: generator.next())
            let channel = UInt16(truncatingIfNeeded: generator.next())
            let token = ReservationToken(bits: generator.next())
            let payload = generator.bytes(Int.random(in: 0...70, using: &generator))
            let software = String(repeating: "ü", count: Int.random(in: 0...40, using: &generator))
            let types = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                AttributeType(rawValue: UInt16(truncatingIfNeeded: generator.next()))
            }
            let even = EvenPort(reservesNextPort: generator.oneIn(2))
            let transactionID = TransactionID.random(using: &generator)
            let bytes = stunMessage(MessageType(.allocate, .request), transactionID) { builder in
                builder.appendXORAddress(.xorPeerAddress, peer)
                builder.appendSoftware(software)
                builder.appendXORAddress(.xorRelayedAddress, relayed)
                builder.appendLifetime(seconds: lifetime)
                builder.appendChannelNumber(channel)
                builder.appendEvenPort(even)
                builder.appendReservationToken(token)
                builder.appendDontFragment()
                builder.appendUnknownAttributes(types)
                builder.appendData(payload.span.rawBytes)
                builder.appendRequestedTransport(.udp)
                builder.appendRequestedAddressFamily(peer.address.family)
                builder.appendAdditionalAddressFamily(.ipv6)
                builder.appendPasswordAlgorithms([.sha256, .md5])
            }
            let message = try MessageView(parsing: bytes.span.rawBytes)
            try claim(message.transactionID == transactionID, "transaction ID")
            try claim(message.xorAddress(.xorPeerAddress) == peer, "\(peer)")
            try claim(message.xorAddress(.xorRelayedAddress) == relayed, "\(relayed)")
            try claim(message.text(.software) == software, software)
            try claim(message.lifetimeSeconds == lifetime, "lifetime \(lifetime)")
            try claim(message.channelNumber == channel, "channel \(channel)")
            try claim(message.evenPort == even && message.dontFragment, "EVEN-PORT, DONT-FRAGMENT")
            try claim(message.reservationToken == token, "token")
            try claim(message.unknownAttributes == types, "\(types)")
            try claim(message.dataRange.map { Array(bytes[$0]) } == payload, "payload of \(payload.count)")
            try claim(message.requestedTransport == .udp, "transport")
            try claim(message.requestedAddressFamily == .family(peer.address.family), "family")
            try claim(message.additionalAddressFamily == .family(.ipv6), "additional family")
            try claim(message.passwordAlgorithms == [.sha256, .md5], "algorithms")
        }
    }

    @Test("padding is zero, also where an earlier message left other bytes")
    func padding() throws {
        var builder = MessageBuilder(capacity: 64)
        builder.begin(MessageType(.binding, .request), TransactionID(high: .max, low: .max))
        builder.append(.software, text: "\u{7F}\u{7F}\u{7F}\u{7F}\u{7F}\u{7F}\u{7F}\u{7F}")
        _ = builder.finish()
        builder.removeAll()
        builder.begin(MessageType(.binding, .request), TransactionID(high: .max, low: .max))
        builder.append(.software, text: "\u{7F}")
        let range = builder.finish()
        let written = builder.bytes(in: try #require(range)).copied()
        #expect(written[20...] == [0x80, 0x22, 0, 1, 0x7F, 0, 0, 0])
    }

    @Test(
        "error codes are hundreds and a number",
        arguments: [ErrorCode.badRequest, .unauthenticated, .staleNonce, .insufficientCapacity, .unknownAttribute]
    )
    func errorCodes(code: ErrorCode) throws {
        let bytes = stunMessage(MessageType(.refresh, .error)) { $0.appendErrorCode(code) }
        #expect(bytes[26] == UInt8(code.rawValue / 100) && bytes[27] == UInt8(code.rawValue % 100))
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let (read, reason) = (message.errorCode, message.errorReason)
        #expect(read == code)
        #expect(reason == code.reason)
    }

    @Test("a value of the wrong length or kind is read as nothing")
    func malformed() throws {
        let bytes = stunMessage(MessageType(.allocate, .request)) { builder in
            let odd: [UInt8] = [0, 1, 0, 0, 0]
            let types: [AttributeType] = [
                .lifetime, .channelNumber, .xorPeerAddress, .requestedTransport, .requestedAddressFamily, .evenPort,
                .reservationToken, .userhash, .mappedAddress, .passwordAlgorithms, .errorCode,
            ]
            for type in types { builder.append(type, odd.span.rawBytes) }
            builder.append(.username, [UInt8](repeating: 0xFF, count: 2).span.rawBytes)
            builder.append(.realm, text: String(repeating: "x", count: 764))
        }
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let numbers = [
            message.lifetimeSeconds == nil, message.channelNumber == nil, message.xorAddress(.xorPeerAddress) == nil,
            message.requestedTransport == nil, message.evenPort == nil, message.reservationToken == nil,
            message.userhash == nil, message.mappedAddress == nil, message.passwordAlgorithms == nil,
            message.errorCode == nil, message.text(.username) == nil, message.text(.realm) == nil,
        ]
        #expect(numbers.allSatisfy { $0 }, "\(numbers)")
        let family = message.requestedAddressFamily
        #expect(family == .malformed)
    }

    @Test("ALTERNATE-SERVER is written in the clear, in either family, and all of them are read in order")
    func alternateServer() throws {
        let servers = [try Endpoint(parsing: "192.0.2.1:3478"), try Endpoint(parsing: "[2001:db8::1]:3479")]
        let bytes = stunMessage(MessageType(.allocate, .error)) { builder in
            builder.appendErrorCode(.tryAlternate, reason: "")
            for server in servers { builder.appendAlternateServer(server) }
            builder.append(.alternateServer, text: "malformed")
        }
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let read = message.alternateServers
        #expect(read == servers)
        #expect(bytes.count == 20 + 8 + 12 + 24 + 16)
        #expect(Array(bytes[28..<40]) == [0x80, 0x23, 0, 8, 0, 1, 0x0D, 0x96, 192, 0, 2, 1])
    }

    @Test("padding, the first eight bits of an address and the reserved bits of ERROR-CODE may have any value")
    func ignoredBits() throws {
        var bytes = stunMessage(MessageType(.allocate, .error)) { builder in
            builder.append(.username, text: "alice")
            builder.append(.xorPeerAddress, [0xFF, 1, 0x21, 0x12, 0x21, 0x12, 0xA4, 0x42].span.rawBytes)
            builder.append(.errorCode, [0xAA, 0xBB, 0xF8 | 4, 37].span.rawBytes)
        }
        // Three bytes of padding behind the name's five.
        bytes.replaceSubrange(29..<32, with: [1, 2, 3])
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let (name, peer, code) = (message.text(.username), message.xorAddress(.xorPeerAddress), message.errorCode)
        #expect(name == "alice")
        #expect(peer == Endpoint(address: IPAddress(ipv4: 0), port: 0))
        #expect(code == .allocationMismatch)
    }

    @Test("text of up to 763 bytes is read, what is longer or no UTF-8 is not", arguments: [508, 509, 763, 764])
    func longText(length: Int) throws {
        for type in [AttributeType.username, .realm, .nonce, .software] {
            let bytes = stunMessage(MessageType(.allocate, .request)) { builder in
                builder.append(type, text: String(repeating: "x", count: length))
            }
            let message = try MessageView(parsing: bytes.span.rawBytes)
            let read = message.text(type)?.utf8.count
            #expect(read == (length <= 763 ? length : nil))
        }
    }

    @Test("PASSWORD-ALGORITHMS is read over algorithms that nobody knows and their padded parameters; cut, it is none")
    func passwordAlgorithms() throws {
        let whole: [UInt8] = [0, 9, 0, 5, 1, 2, 3, 4, 5, 0xFF, 0xFF, 0xFF, 0, 1, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0]
        for length in 0...whole.count {
            let value = Array(whole.prefix(length))
            let bytes = stunMessage(MessageType(.allocate, .error)) { builder in
                builder.append(.passwordAlgorithms, value.span.rawBytes)
            }
            let read = try MessageView(parsing: bytes.span.rawBytes).passwordAlgorithms
            let expected: [Int: [PasswordAlgorithm]] = [0: [], 12: [], 16: [.md5], 20: [.md5], 24: [.md5, .sha256]]
            #expect(read == expected[length], "\(length) bytes")
        }
    }

    @Test("MAPPED-ADDRESS is read in the clear")
    func mappedAddress() throws {
        let value: [UInt8] = [0, 1, 0x0D, 0x96, 192, 0, 2, 1]
        let bytes = stunMessage(MessageType(.binding, .success)) { $0.append(.mappedAddress, value.span.rawBytes) }
        let message = try MessageView(parsing: bytes.span.rawBytes)
        let mapped = message.mappedAddress
        #expect(mapped?.description == "192.0.2.1:3478")
    }
}

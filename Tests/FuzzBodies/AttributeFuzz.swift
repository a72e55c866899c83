import NetPrimitives
import STUNCore

/// Every attribute reader on any message, and for what it read the writer and the reader once more.
enum AttributeFuzz {
    static func readAll(_ message: MessageView) throws(FuzzFinding) {
        try checkTexts(message)
        try checkAddresses(message)
        try checkNumbers(message)
        try checkLists(message)
    }

    private static func checkTexts(_ message: MessageView) throws(FuzzFinding) {
        for type in [AttributeType.username, .realm, .nonce, .software] {
            guard let text = message.text(type) else { continue }
            try checkAgain(message, { $0.append(type, text: text) }) { $0.text(type).map(Octets.init) == Octets(text) }
        }
        if let code = message.errorCode, let reason = message.errorReason {
            try checkAgain(message, { $0.appendErrorCode(code, reason: reason) }) {
                $0.errorCode == code && $0.errorReason.map(Octets.init) == Octets(reason)
            }
        }
        if let userhash = message.userhash {
            try checkAgain(message, { $0.appendUserhash(userhash) }) { $0.userhash == userhash }
        }
    }

    private static func checkAddresses(_ message: MessageView) throws(FuzzFinding) {
        for type in [AttributeType.xorMappedAddress, .xorPeerAddress, .xorRelayedAddress] {
            guard let endpoint = message.xorAddress(type) else { continue }
            try checkAgain(message, { $0.appendXORAddress(type, endpoint) }) { $0.xorAddress(type) == endpoint }
        }
        if let endpoint = message.mappedAddress {
            let isTwice = endpoint.combined(with: message.transactionID).combined(with: message.transactionID)
            try expect(isTwice == endpoint, "the XOR of an address is not its own inverse")
        }
        var reader = message.attributes
        while let attribute = reader.next() { _ = message.xorAddress(attribute) }
        for server in message.alternateServers.prefix(1) {
            try checkAgain(message, { $0.appendAlternateServer(server) }) { $0.alternateServers == [server] }
        }
    }

    private static func checkNumbers(_ message: MessageView) throws(FuzzFinding) {
        if let number = message.channelNumber {
            try checkAgain(message, { $0.appendChannelNumber(number) }) { $0.channelNumber == number }
        }
        if let seconds = message.lifetimeSeconds {
            try checkAgain(message, { $0.appendLifetime(seconds: seconds) }) { $0.lifetimeSeconds == seconds }
        }
        if let evenPort = message.evenPort {
            try checkAgain(message, { $0.appendEvenPort(evenPort) }) { $0.evenPort == evenPort }
        }
        if let transport = message.requestedTransport {
            try checkAgain(message, { $0.appendRequestedTransport(transport) }) { $0.requestedTransport == transport }
        }
        if let token = message.reservationToken {
            try checkAgain(message, { $0.appendReservationToken(token) }) { $0.reservationToken == token }
        }
        if case .family(let family) = message.requestedAddressFamily {
            try checkAgain(message, { $0.appendRequestedAddressFamily(family) }) {
                $0.requestedAddressFamily == .family(family)
            }
        }
        if case .family(let family) = message.additionalAddressFamily {
            try checkAgain(message, { $0.appendAdditionalAddressFamily(family) }) {
                $0.additionalAddressFamily == .family(family)
            }
        }
        if let error = message.addressErrorCode {
            try checkAgain(message, { $0.appendAddressErrorCode(error) }) { $0.addressErrorCode == error }
        }
        if let icmp = message.icmp { try checkAgain(message, { $0.appendICMP(icmp) }) { $0.icmp == icmp } }
        if message.dontFragment { try checkAgain(message, { $0.appendDontFragment() }) { $0.dontFragment } }
    }

    private static func checkLists(_ message: MessageView) throws(FuzzFinding) {
        if let range = message.dataRange {
            try expect(range.upperBound <= message.bytes.byteCount, "DATA at \(range)")
            let data = message.bytes.extracting(range)
            try expect(data.byteCount == range.count, "DATA of \(data.byteCount) bytes at \(range)")
        }
        let unknown = message.unknownAttributes
        try expect(unknown.count <= message.bytes.byteCount / 2, "\(unknown.count) types from thin air")
        if !unknown.isEmpty {
            try checkAgain(message, { $0.appendUnknownAttributes(unknown) }) { $0.unknownAttributes == unknown }
        }
        if let algorithm = message.passwordAlgorithm {
            try checkAgain(message, { $0.appendPasswordAlgorithm(algorithm) }) { $0.passwordAlgorithm == algorithm }
        }
        if let algorithms = message.passwordAlgorithms {
            try expect(algorithms.count <= message.bytes.byteCount / 4, "\(algorithms.count) algorithms from thin air")
            try checkAgain(message, { $0.appendPasswordAlgorithms(algorithms) }) { $0.passwordAlgorithms == algorithms }
        }
    }

    /// Text as its bytes: what looks alike is not the same.
    private struct Octets: Equatable {
        let bytes: [UInt8]

        init(_ text: String) { bytes = Array(text.utf8) }
    }

    private static func checkAgain(
        _ message: MessageView,
        _ write: (inout MessageBuilder) -> Void,
        _ isSame: (MessageView) -> Bool
    ) throws(FuzzFinding) {
        var builder = MessageBuilder(capacity: 70_000)
        builder.begin(message.type, message.transactionID)
        write(&builder)
        let range = try unwrap(builder.finish(), "an attribute that was read does not fit into a message")
        let written = try parse(builder.bytes(in: range))
        var reader = written.attributes
        let type = reader.next()?.type
        try expect(isSame(written), "attribute \(String(describing: type)) reads differently once it was written")
    }
}

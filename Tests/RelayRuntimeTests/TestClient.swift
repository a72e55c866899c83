import NetPrimitives
import PacketIO
import STUNCore
import Testing

/// What a response says, taken out of its bytes.
struct Answer {
    var isSuccess = false
    var error: UInt16?
    /// All relayed addresses in their order.
    var relays: [Endpoint] = []
    var token: ReservationToken?
    var mapped: Endpoint?
    var lifetime: UInt32?
    var realm: String?
    var nonce: String?

    var relayed: Endpoint? { relays.first }
}

private func copied(_ bytes: RawSpan) -> [UInt8] {
    // SAFETY: the offsets are those of the span.
    (0..<bytes.byteCount).map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
}

/// A UDP socket that waits for what it is sent.
final class TestSocket {
    let socket: UDPSocket
    private var poller: Poller
    private var ring = PacketRing(slotCount: 1, slotCapacity: 65536)
    private var receiver = DatagramReceiver(capacity: 1)

    init(_ address: IPAddress = IPAddress(ipv4: 0x7F00_0001)) throws {
        let socket = try UDPSocket(boundTo: Endpoint(address: address, port: 0))
        poller = try Poller(capacity: 1)
        try poller.add(socket.descriptor.rawValue, as: SocketID(slot: 0, generation: 0))
        self.socket = socket
    }

    var endpoint: Endpoint { socket.endpoint }

    func send(_ bytes: [UInt8], to destination: Endpoint) throws {
        var batch = SendBatch(capacity: 1, arenaCapacity: 65536)
        let span = bytes.span
        // SAFETY: every byte of an array of bytes is initialised.
        let fitted = unsafe batch.append(
            copying: span.bytes,
            from: SocketID(slot: 0, generation: 0),
            descriptor: socket.descriptor.rawValue,
            to: destination
        )
        try #require(fitted)
        try #require(batch.flush().sent == 1)
    }

    /// The next datagram; nil if none comes within `milliseconds`.
    func receive(within milliseconds: Int32 = 5000) throws -> (bytes: [UInt8], source: Endpoint)? {
        guard try poller.wait(timeoutMilliseconds: milliseconds) > 0 else { return nil }
        let (count, _) = receiver.receive(from: socket.descriptor.rawValue, limit: 1, into: &ring)
        guard count == 1 else { return nil }
        let datagram = receiver.datagram(at: 0)
        let copy = copied(ring.bytes(of: datagram))
        ring.reuse(after: SendBatch(capacity: 1, arenaCapacity: 1))
        return (copy, datagram.source)
    }
}

/// A TURN client with long-term credentials.
final class TestClient {
    let server: Endpoint
    let wire: TestSocket
    let username: String
    let password: String
    private(set) var realm: String?
    private(set) var nonce: String?
    private(set) var lastRequest: [UInt8] = []
    private var random = SystemRandomNumberGenerator()

    init(
        of server: Endpoint,
        username: String = "alice",
        password: String = "wonderland",
        from address: IPAddress = IPAddress(ipv4: 0x7F00_0001)
    ) throws {
        self.server = server
        self.username = username
        self.password = password
        wire = try TestSocket(address)
    }

    /// Sends a request and waits for its answer; once challenged, with credentials.
    func request(
        _ method: MessageMethod,
        _ fill: (inout MessageBuilder) -> Void = { _ in }
    ) throws -> Answer {
        for _ in 0..<3 {
            let identifier = TransactionID.random(using: &random)
            lastRequest = try encode(method, identifier, fill)
            try wire.send(lastRequest, to: server)
            let answer = try awaitAnswer(to: identifier)
            guard answer.error == 401 || answer.error == 438, nonce == nil || answer.error == 438 else { return answer }
            realm = answer.realm
            nonce = answer.nonce
        }
        throw TestFailure("challenged again and again")
    }

    /// Sends a request without waiting for its answer.
    func post(_ method: MessageMethod, _ fill: (inout MessageBuilder) -> Void = { _ in }) throws {
        try wire.send(encode(method, TransactionID.random(using: &random), fill), to: server)
    }

    /// Sends the last request once more, as a client does that heard no answer.
    func repeatLastRequest() throws -> Answer {
        let request = lastRequest
        try wire.send(request, to: server)
        let identifier = TransactionID(
            high: request[8..<12].reduce(0) { $0 << 8 | UInt32($1) },
            low: request[12..<20].reduce(0) { $0 << 8 | UInt64($1) }
        )
        return try awaitAnswer(to: identifier)
    }

    func allocate(_ family: IPAddress.Family? = nil) throws -> Endpoint {
        let answer = try request(.allocate) { builder in
            builder.appendRequestedTransport(.udp)
            if let family { builder.appendRequestedAddressFamily(family) }
        }
        guard let relayed = answer.relayed else { throw TestFailure("Allocate: \(answer)") }
        return relayed
    }

    func permit(_ peer: Endpoint) throws {
        let answer = try request(.createPermission) { $0.appendXORAddress(.xorPeerAddress, peer) }
        try #require(answer.isSuccess, "CreatePermission: \(answer)")
    }

    func bind(_ channel: UInt16, to peer: Endpoint) throws {
        let answer = try request(.channelBind) { builder in
            builder.appendChannelNumber(channel)
            builder.appendXORAddress(.xorPeerAddress, peer)
        }
        try #require(answer.isSuccess, "ChannelBind: \(answer)")
    }

    func refresh(seconds: UInt32) throws -> Answer {
        try request(.refresh) { $0.appendLifetime(seconds: seconds) }
    }

    func sendChannelData(_ channel: UInt16, _ payload: [UInt8]) throws {
        let header = [
            UInt8(channel >> 8), UInt8(channel & 0xFF), UInt8(payload.count >> 8), UInt8(payload.count & 0xFF),
        ]
        try wire.send(header + payload, to: server)
    }

    func sendIndication(_ payload: [UInt8], to peer: Endpoint) throws {
        var builder = MessageBuilder(capacity: 65536)
        builder.begin(MessageType(.send, .indication), TransactionID.random(using: &random))
        builder.appendXORAddress(.xorPeerAddress, peer)
        let span = payload.span
        // SAFETY: every byte of an array of bytes is initialised.
        unsafe builder.appendData(span.bytes)
        guard let range = builder.finish() else { throw TestFailure("the indication did not fit") }
        try wire.send(copied(builder.bytes(in: range)), to: server)
    }

    /// The payload of the next ChannelData message, and its channel.
    func receiveChannelData() throws -> (channel: UInt16, payload: [UInt8]) {
        let (bytes, source) = try #require(try wire.receive())
        #expect(source == server)
        try #require(bytes.count >= 4)
        let length = Int(bytes[2]) << 8 | Int(bytes[3])
        #expect(bytes.count == 4 + length)
        return (UInt16(bytes[0]) << 8 | UInt16(bytes[1]), Array(bytes[4...]))
    }

    /// The payload of the next Data indication, and the peer it came from.
    func receiveIndication() throws -> (peer: Endpoint?, payload: [UInt8]) {
        let (bytes, source) = try #require(try wire.receive())
        #expect(source == server)
        let span = bytes.span
        // SAFETY: every byte of an array of bytes is initialised.
        let message = unsafe try MessageView(parsing: span.bytes)
        guard message.type == MessageType(.data, .indication), let data = message.dataRange else {
            throw TestFailure("not a Data indication")
        }
        return (message.xorAddress(.xorPeerAddress), Array(bytes[data]))
    }

    private func encode(
        _ method: MessageMethod,
        _ identifier: TransactionID,
        _ fill: (inout MessageBuilder) -> Void
    ) throws -> [UInt8] {
        var builder = MessageBuilder(capacity: 2048)
        builder.begin(MessageType(method, .request), identifier)
        fill(&builder)
        var seal: IntegritySeal?
        if let realm, let nonce {
            builder.appendUsername(username)
            builder.appendRealm(realm)
            builder.appendNonce(nonce)
            let key = IntegrityKey.longTerm(username: username, realm: realm, password: password)
            seal = IntegritySeal(key: key, algorithm: .sha1)
        }
        guard let range = builder.finish(sealedBy: seal) else { throw TestFailure("the request did not fit") }
        return copied(builder.bytes(in: range))
    }

    /// Passes over everything that does not answer `identifier`.
    private func awaitAnswer(to identifier: TransactionID) throws -> Answer {
        while let (bytes, source) = try wire.receive() {
            #expect(source == server)
            let span = bytes.span
            // SAFETY: every byte of an array of bytes is initialised.
            guard let message = unsafe try? MessageView(parsing: span.bytes) else { continue }
            guard message.transactionID == identifier else { continue }
            return Answer(
                isSuccess: message.type.messageClass == .success,
                error: message.errorCode?.rawValue,
                relays: relays(in: message),
                token: message.reservationToken,
                mapped: message.xorAddress(.xorMappedAddress),
                lifetime: message.lifetimeSeconds,
                realm: message.text(.realm),
                nonce: message.text(.nonce)
            )
        }
        throw TestFailure("no answer")
    }
}

private func relays(in message: MessageView) -> [Endpoint] {
    var found: [Endpoint] = []
    var reader = message.attributes
    while let attribute = reader.next() {
        if attribute.type == .xorRelayedAddress, let endpoint = message.xorAddress(attribute) { found.append(endpoint) }
    }
    return found
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@testable import TURNRelay

/// A response, taken apart.
struct Reply: Hashable {
    let type: MessageType
    let code: UInt16?
    let relayed: Endpoint?
    /// All relayed addresses in their order.
    let allRelayed: [Endpoint]
    let token: ReservationToken?
    let addressError: AddressErrorCode?
    let mapped: Endpoint?
    let lifetime: UInt32?
    let realm: String?
    let nonce: String?
    let unknownAttributes: [AttributeType]
    /// Whether UNKNOWN-ATTRIBUTES is there, were it empty.
    let listsUnknownAttributes: Bool
    let hasFingerprint: Bool
    /// Whether it carries an integrity that the client's key made.
    let isSealed: Bool

    init(_ bytes: [UInt8], for client: Client) throws {
        let message = try MessageView(parsing: bytes.span.rawBytes)
        type = message.type
        code = message.errorCode?.rawValue
        relayed = message.xorAddress(.xorRelayedAddress)
        allRelayed = message.relayedAddresses
        token = message.reservationToken
        addressError = message.addressErrorCode
        mapped = message.xorAddress(.xorMappedAddress)
        lifetime = message.lifetimeSeconds
        realm = message.text(.realm)
        nonce = message.text(.nonce)
        unknownAttributes = message.unknownAttributes
        listsUnknownAttributes = message.contains(.unknownAttributes)
        hasFingerprint = message.fingerprint != nil
        isSealed = message.verifyIntegrity(.sha1, key: client.key)
    }

    var isSuccess: Bool { type.messageClass == .success }
}

/// What an answer and its request have in common.
private struct Header {
    let transactionID: TransactionID
    let method: MessageMethod

    init(_ bytes: [UInt8]) throws {
        let message = try MessageView(parsing: bytes.span.rawBytes)
        transactionID = message.transactionID
        method = message.type.method
    }
}

extension MessageView {
    fileprivate var relayedAddresses: [Endpoint] {
        var found: [Endpoint] = []
        var reader = attributes
        while let attribute = reader.next() {
            if attribute.type == .xorRelayedAddress, let endpoint = xorAddress(attribute) { found.append(endpoint) }
        }
        return found
    }
}

extension Client {
    var key: IntegrityKey { .longTerm(username: username, realm: TURNScenario.realm, password: password) }
}

extension TURNScenario {
    /// The bytes of a signed request. Every part of the credential can be replaced or, with nil, left out.
    mutating func requestBytes(
        _ method: MessageMethod,
        from client: Client,
        nonce: String? = nil,
        _ appendAttributes: (inout MessageBuilder) -> Void = { _ in }
    ) -> [UInt8] {
        let nonce = nonce ?? self.nonce(for: client)
        let seal = IntegritySeal(key: client.key, algorithm: .sha1)
        let identifier = TransactionID.random(using: &random)
        return stunMessage(MessageType(method, .request), identifier, sealedBy: seal) { builder in
            appendAttributes(&builder)
            builder.appendUsername(client.username)
            builder.appendRealm(Self.realm)
            builder.appendNonce(nonce)
        }
    }

    /// Sends bytes to `handle` and takes the one answer that they must get, by transaction and method theirs.
    mutating func exchange(_ bytes: [UInt8], _ client: Client) throws -> Reply {
        #expect(deliver(bytes, from: client.flow) == .control)
        let datagrams = takeSent()
        #expect(datagrams.count == 1 && datagrams.first?.destination == client.flow.client)
        let answer = try #require(datagrams.first).bytes
        let (asked, told) = (try Header(bytes), try Header(answer))
        #expect(asked.transactionID == told.transactionID && asked.method == told.method, "an answer to something else")
        return try Reply(answer, for: client)
    }

    mutating func request(
        _ method: MessageMethod,
        from client: Client,
        nonce: String? = nil,
        _ appendAttributes: (inout MessageBuilder) -> Void = { _ in }
    ) throws -> Reply {
        try exchange(requestBytes(method, from: client, nonce: nonce, appendAttributes), client)
    }

    mutating func allocateBytes(_ client: Client, lifetime: UInt32? = nil) -> [UInt8] {
        requestBytes(.allocate, from: client) { builder in
            builder.appendRequestedTransport(.udp)
            if let lifetime { builder.appendLifetime(seconds: lifetime) }
        }
    }

    /// Allocates and answers the relayed address.
    @discardableResult
    mutating func allocate(_ client: Client, lifetime: UInt32? = nil) throws -> Endpoint {
        let reply = try exchange(allocateBytes(client, lifetime: lifetime), client)
        #expect(reply.isSuccess && reply.isSealed)
        return try #require(reply.relayed)
    }

    /// An Allocate request for UDP with further attributes.
    mutating func allocate(_ client: Client, asking attributes: (inout MessageBuilder) -> Void) throws -> Reply {
        try request(.allocate, from: client) { builder in
            builder.appendRequestedTransport(.udp)
            attributes(&builder)
        }
    }

    mutating func refresh(
        _ client: Client,
        lifetime: UInt32? = nil,
        family: IPAddress.Family? = nil
    ) throws -> Reply {
        try request(.refresh, from: client) { builder in
            if let family { builder.appendRequestedAddressFamily(family) }
            if let lifetime { builder.appendLifetime(seconds: lifetime) }
        }
    }

    mutating func permit(_ client: Client, _ peers: String...) throws -> Reply {
        let endpoints = try peers.map { Endpoint(address: try IPAddress(parsing: $0), port: 0) }
        return try request(.createPermission, from: client) { builder in
            for endpoint in endpoints { builder.appendXORAddress(.xorPeerAddress, endpoint) }
        }
    }

    mutating func bind(_ client: Client, _ number: UInt16, _ peer: String) throws -> Reply {
        let endpoint = try Endpoint(parsing: peer)
        return try request(.channelBind, from: client) { builder in
            builder.appendChannelNumber(number)
            builder.appendXORAddress(.xorPeerAddress, endpoint)
        }
    }

    // MARK: Data

    /// What becomes of a payload that a client sends by Send indication.
    mutating func send(_ payload: [UInt8], from client: Client, to peer: String) throws -> Verdict {
        let endpoint = try Endpoint(parsing: peer)
        return deliver(sendIndication(payload, to: endpoint), from: client.flow)
    }

    /// What becomes of a payload that a client sends by channel.
    mutating func send(_ payload: [UInt8], from client: Client, by channel: UInt16) -> Verdict {
        deliver(channelData(payload, channel), from: client.flow)
    }

    /// What becomes of a payload that a peer sends to a client's relayed address.
    mutating func peerSends(byteCount: Int = 5, from peer: String, to client: Client) throws -> Verdict {
        let peer = try Endpoint(parsing: peer)
        let socket = try relay(of: client, peer.address.family)
        return shard.routePeer(byteCount: byteCount, from: peer, on: socket, now: now)
    }
}

func sendIndication(_ payload: [UInt8], to peer: Endpoint) -> [UInt8] {
    stunMessage(MessageType(.send, .indication)) { builder in
        builder.appendXORAddress(.xorPeerAddress, peer)
        builder.appendData(payload.span.rawBytes)
    }
}

func channelData(_ payload: [UInt8], _ channel: UInt16) -> [UInt8] {
    let header = UInt32(channel) << 16 | UInt32(payload.count)
    return (0..<4).map { UInt8(truncatingIfNeeded: header >> (24 - 8 * $0)) } + payload
}

extension Verdict {
    /// How and where the payload goes, leaving out what the test did not ask.
    var delivery: Delivery? {
        guard case .forward(let forward) = self else { return nil }
        return Delivery(framing: forward.framing, destination: forward.destination)
    }
}

struct Delivery: Hashable {
    let framing: Framing
    let destination: Endpoint
}

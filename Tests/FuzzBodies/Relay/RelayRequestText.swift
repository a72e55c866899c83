import NetPrimitives
import STUNCore
import STUNServer

/// A request as its sender means it, and how well it proves who sends it.
struct RelayRequestText {
    let method: MessageMethod
    private(set) var flow: Flow
    let user: RelayCast.User
    let transactionID: TransactionID
    let proof: Proof
    /// XOR-PEER-ADDRESS, in order.
    var peers: [Endpoint] = []
    /// CHANNEL-NUMBER, in order.
    var channels: [UInt16] = []
    private let extras: [Extra]

    /// An attribute of any kind but the two above.
    private struct Extra {
        let type: AttributeType
        let value: [UInt8]
    }

    /// How the request is signed; a byte's bits.
    struct Proof {
        let bits: UInt8

        var hasNonce: Bool { bits & 1 == 0 }
        var isSealed: Bool { bits & 2 == 0 }
        var sealAlgorithm: IntegrityAlgorithm { bits & 4 == 0 ? .sha1 : .sha256 }
        var namesAlgorithms: Bool { bits & 8 != 0 }
        var hashesName: Bool { bits & 16 != 0 }
        var hasFingerprint: Bool { bits & 32 != 0 }
        var hasWrongRealm: Bool { bits & 0xC0 == 0xC0 }
    }

    init(_ input: inout FuzzInput) {
        let methods: [MessageMethod] = [
            .allocate, .refresh, .createPermission, .channelBind, .allocate, .channelBind, .binding,
        ]
        method = input.pick(methods)
        flow = input.pick(RelayCast.flows)
        user = input.pick(RelayCast.users)
        transactionID = TransactionID(high: 7, low: UInt64(input.byte()))
        // Most requests are to be good ones: a history of refusals is short.
        let bits = input.byte()
        proof = Proof(bits: bits < 128 ? 0 : bits)
        var extras: [Extra] = []
        if method == .channelBind { channels.append(input.pick(RelayCast.channels)) }
        if method == .channelBind || method == .createPermission { peers.append(input.pick(RelayCast.peers)) }
        if method == .allocate { extras.append(Extra(type: .requestedTransport, value: [17, 0, 0, 0])) }
        let further = input.byte()
        for _ in 0..<(further < 128 ? 0 : further & 7) {
            switch input.index(4) {
            case 0: peers.append(input.pick(RelayCast.peers))
            case 1: channels.append(input.pick(RelayCast.channels))
            default: extras.append(Self.extra(&input))
            }
        }
        self.extras = extras
    }

    private static func extra(_ input: inout FuzzInput) -> Extra {
        switch input.index(9) {
        case 0: return Extra(type: .lifetime, value: [0, 0, 0, 0])
        case 1: return Extra(type: .lifetime, value: [0, 0, input.byte(), input.byte()])
        case 2: return Extra(type: .requestedAddressFamily, value: [input.byte() & 3, 0, 0, 0])
        case 3: return Extra(type: .additionalAddressFamily, value: [input.byte() & 3, 0, 0, 0])
        case 4: return Extra(type: .evenPort, value: [input.byte() & 0x80])
        case 5: return Extra(type: .dontFragment, value: [])
        case 6: return Extra(type: .requestedTransport, value: [input.byte(), 0, 0, 0])
        case 7: return Extra(type: .reservationToken, value: [UInt8](repeating: input.byte(), count: 8))
        default:
            let type = AttributeType(rawValue: input.uint16())
            // Peers stand in `peers` alone, where the ledger looks for them.
            return Extra(type: type == .xorPeerAddress ? .software : type, value: input.take(input.index(40)))
        }
    }

    /// The same request from another 5-tuple.
    func sent(from flow: Flow) -> RelayRequestText {
        var request = self
        request.flow = flow
        return request
    }

    /// The family in REQUESTED-ADDRESS-FAMILY, the first of several; nil if none is named.
    var family: IPAddress.Family? {
        extras.first { $0.type == .requestedAddressFamily }?.value.first.flatMap { IPAddress.Family(rawValue: $0) }
    }

    /// The bytes of the request, with `nonce` and, instead of a repeated byte, a reservation's real `token`.
    func bytes(nonce: String, token: ReservationToken?) -> [UInt8] {
        var builder = MessageBuilder(capacity: 4_096)
        builder.begin(MessageType(method, .request), transactionID)
        for channel in channels { builder.appendChannelNumber(channel) }
        for peer in peers { builder.appendXORAddress(.xorPeerAddress, peer) }
        for extra in extras {
            if extra.type == .reservationToken, let token, extra.value.first != 0xFF {
                builder.appendReservationToken(token)
            } else {
                builder.append(extra.type, extra.value.span.rawBytes)
            }
        }
        guard method != .binding else {
            return finished(&builder, sealedBy: nil)
        }
        if proof.hashesName {
            builder.appendUserhash(Userhash(username: user.name, realm: RelayCast.realm))
        } else {
            builder.appendUsername(user.name)
        }
        builder.appendRealm(proof.hasWrongRealm ? "example.com" : RelayCast.realm)
        if proof.hasNonce { builder.appendNonce(nonce) }
        if proof.namesAlgorithms {
            builder.appendPasswordAlgorithms([.sha256, .md5])
            builder.appendPasswordAlgorithm(.sha256)
        }
        let key = user.keys[proof.namesAlgorithms ? .sha256 : .md5]
        let seal = key.map { IntegritySeal(key: $0, algorithm: proof.sealAlgorithm) }
        return finished(&builder, sealedBy: proof.isSealed ? seal : nil)
    }

    private func finished(_ builder: inout MessageBuilder, sealedBy seal: IntegritySeal?) -> [UInt8] {
        guard let range = builder.finish(sealedBy: seal, fingerprint: proof.hasFingerprint) else { return [] }
        return builder.bytes(in: range).copied()
    }
}

public import NetPrimitives
public import STUNCore

extension SeededGenerator {
    /// `count` random bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    /// True once in `n` times.
    public mutating func oneIn(_ n: Int) -> Bool { Int.random(in: 0..<n, using: &self) == 0 }

    /// An endpoint of either family.
    public mutating func endpoint() -> Endpoint {
        let address =
            oneIn(2)
            ? IPAddress(ipv4: UInt32(truncatingIfNeeded: next())) : IPAddress(ipv6High: next(), low: next())
        return Endpoint(address: address, port: UInt16(truncatingIfNeeded: next()))
    }

    /// Bytes without any form, most of them with a first byte that is STUN's or ChannelData's.
    public mutating func randomDatagram() -> [UInt8] {
        var datagram = bytes(Int.random(in: 0...(oneIn(8) ? 1_500 : 80), using: &self))
        guard !datagram.isEmpty, !oneIn(4) else { return datagram }
        datagram[0] = oneIn(2) ? UInt8.random(in: 0...3, using: &self) : UInt8.random(in: 64...79, using: &self)
        return datagram
    }

    /// A well-framed STUN message of any method with attributes of all types and any value, sealed or not.
    public mutating func stunMessage(seal: IntegritySeal? = nil) -> [UInt8] {
        let methods: [MessageMethod] = [.binding, .allocate, .refresh, .send, .data, .createPermission, .channelBind]
        let method =
            oneIn(10)
            ? MessageMethod(rawValue: UInt16(truncatingIfNeeded: next())) : methods[Int.random(in: 0..<7, using: &self)]
        let classes: [MessageClass] = [.request, .request, .request, .indication, .success, .error]
        let type = MessageType(method, classes[Int.random(in: 0..<classes.count, using: &self)])
        var builder = MessageBuilder(capacity: 4_096)
        builder.begin(type, .random(using: &self))
        for _ in 0..<Int.random(in: 0...8, using: &self) { appendAttribute(to: &builder) }
        let usedSeal = seal.flatMap { oneIn(3) ? nil : $0 }
        guard let range = builder.finish(sealedBy: usedSeal, fingerprint: oneIn(2)) else { return [] }
        return builder.bytes(in: range).copied()
    }

    /// `datagram` with a few bits, bytes, lengths or pieces changed; now and then the header's length is made right
    /// again, so that the change is met further in.
    public mutating func mutated(_ datagram: [UInt8]) -> [UInt8] {
        var bytes = datagram
        for _ in 0..<Int.random(in: 1...4, using: &self) { mutateOnce(&bytes) }
        if bytes.count >= 20, oneIn(2) {
            let length = UInt16(truncatingIfNeeded: bytes.count - 20)
            bytes[2] = UInt8(truncatingIfNeeded: length >> 8)
            bytes[3] = UInt8(truncatingIfNeeded: length)
        }
        return bytes
    }

    private mutating func mutateOnce(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes = self.bytes(4) }
        let place = Int.random(in: 0..<bytes.count, using: &self)
        switch Int.random(in: 0..<6, using: &self) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][Int.random(in: 0..<5, using: &self)]
        case 2: bytes.removeSubrange(place...)
        case 3: bytes.insert(contentsOf: self.bytes(Int.random(in: 1...8, using: &self)), at: place)
        case 4:
            let end = min(bytes.count, place + Int.random(in: 1...40, using: &self))
            bytes.append(contentsOf: bytes[place..<end])
        default:
            let aligned = place & ~3
            guard aligned + 4 <= bytes.count else { return }
            bytes[aligned + 2] = oneIn(2) ? 0xFF : 0
            bytes[aligned + 3] = UInt8(truncatingIfNeeded: next())
        }
    }

    private mutating func appendAttribute(to builder: inout MessageBuilder) {
        let types: [AttributeType] = [
            .mappedAddress, .username, .errorCode, .unknownAttributes, .channelNumber, .lifetime, .xorPeerAddress,
            .data,
            .realm, .nonce, .xorRelayedAddress, .requestedAddressFamily, .evenPort, .requestedTransport, .dontFragment,
            .passwordAlgorithm, .userhash, .xorMappedAddress, .reservationToken, .additionalAddressFamily,
            .passwordAlgorithms, .software, .messageIntegrity, .messageIntegritySHA256, .fingerprint,
            AttributeType(rawValue: UInt16(truncatingIfNeeded: next())),
        ]
        let type = types[Int.random(in: 0..<types.count, using: &self)]
        switch Int.random(in: 0..<4, using: &self) {
        case 0: builder.appendXORAddress(type, endpoint())
        case 1: builder.append(type, text: "f\(next())")
        default:
            let lengths = [0, 1, 2, 3, 4, 4, 4, 8, 20, 32, 33]
            let value = bytes(lengths[Int.random(in: 0..<lengths.count, using: &self)])
            builder.append(type, value.span.rawBytes)
        }
    }
}

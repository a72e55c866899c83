import NetPrimitives
import STUNCore

/// A Send indication that is turned to one client's peer after the other.
struct SendDatagram: ~Copyable {
    private(set) var bytes: [UInt8]
    private let transactionID = TransactionID(high: 0x1122_3344, low: 0x5566_7788_99AA_BBCC)
    private let peerOffset: Int

    init() {
        var builder = MessageBuilder(capacity: 512)
        builder.begin(MessageType(.send, .indication), transactionID)
        // The first attribute, whose value stands behind its header of four bytes.
        peerOffset = builder.count + 4
        builder.appendXORAddress(.xorPeerAddress, SimulatedClient(number: 0).peer)
        let payload = [UInt8](repeating: 0xAA, count: SimulatedClient.payloadByteCount)
        builder.appendData(payload.span.rawBytes)
        guard let range = builder.finish() else { preconditionFailure("an indication has no room") }
        bytes = builder.bytes(in: range).copied()
    }

    /// Writes the eight bytes of XOR-PEER-ADDRESS (RFC 8489 §14.2) over those of another IPv4 peer.
    @inline(__always)
    mutating func aim(at peer: Endpoint) {
        let masked = peer.combined(with: transactionID)
        let family = UInt64(masked.address.family.rawValue)
        let value = family << 48 | UInt64(masked.port) << 32 | UInt64(masked.address.ipv4Bits)
        let offset = peerOffset
        var span = bytes.mutableSpan
        // SAFETY: every bit pattern of UInt8 is a value, and a byte has no padding.
        var raw = unsafe span.mutableBytes
        raw.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt64.self)
    }
}

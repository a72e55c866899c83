import NetPrimitives
import STUNCore
import TestSupport
import Testing

@testable import TURNRelay

/// What comes out at the other end, as whoever is there sees it.
enum Arrival: Hashable {
    /// At a peer: a datagram with these ends and this content.
    case datagram(from: Endpoint, to: Endpoint, [UInt8])
    /// At the client: a Data indication of this peer.
    case dataIndication(peer: Endpoint, [UInt8])
    /// At the client: ChannelData.
    case channelData(UInt16, [UInt8])
    /// Nowhere.
    case dropped(DropReason)
}

extension TURNScenario {
    /// What a peer gets of a client's ChannelData or Send indication.
    mutating func arrival(of bytes: [UInt8], from client: Client) throws -> Arrival {
        switch deliver(bytes, from: client.flow) {
        case .forward(let forward):
            #expect(forward.framing == .raw)
            let lease = try #require(leases[forward.socket])
            let start = Int(forward.payloadOffset)
            let payload = Array(bytes[start..<start + Int(forward.payloadCount)])
            return .datagram(from: lease.endpoint, to: forward.destination, payload)
        case .drop(let reason): return .dropped(reason)
        case .control:
            Issue.record("data was taken for control")
            return .dropped(.unexpectedMessage)
        }
    }

    /// What a peer gets of a payload that a client sends by Send indication.
    mutating func sends(_ payload: [UInt8], from client: Client, to peer: String) throws -> Arrival {
        try arrival(of: sendIndication(payload, to: Endpoint(parsing: peer)), from: client)
    }

    /// What a peer gets of a payload that a client sends by channel.
    mutating func sends(_ payload: [UInt8], from client: Client, by channel: UInt16) throws -> Arrival {
        try arrival(of: channelData(payload, channel), from: client)
    }

    /// What a client gets of a payload that a peer sends to its relayed address: parsed from the bytes on the wire.
    mutating func receives(_ payload: [UInt8], from peer: String, at client: Client) throws -> Arrival {
        let verdict = try peerSends(byteCount: payload.count, from: peer, to: client)
        switch verdict {
        case .drop(let reason): return .dropped(reason)
        case .control:
            Issue.record("a peer's datagram was taken for control")
            return .dropped(.unexpectedMessage)
        case .forward(let forward):
            #expect(forward.socket == Self.listener && forward.destination == client.flow.client)
            return try arrival(onTheWire: wire(forward.framing, payload))
        }
    }

    private func wire(_ framing: Framing, _ payload: [UInt8]) -> [UInt8] {
        var scratch = [UInt8](repeating: 0xAA, count: Framing.longestHeaderByteCount)
        var span = scratch.mutableSpan
        // SAFETY: the elements are plain bytes.
        var header = unsafe span.mutableBytes
        let transaction = TransactionID(high: 8, low: 9)
        let count = framing.writeHeader(payloadByteCount: payload.count, transaction: transaction, into: &header)
        let padding = [UInt8](repeating: 0, count: framing.paddingByteCount(payloadByteCount: payload.count))
        return Array(scratch[..<count]) + payload + padding
    }

    private func arrival(onTheWire wire: [UInt8]) throws -> Arrival {
        if PacketClass(firstByte: try #require(wire.first)) == .channelData {
            let parsed = ChannelData(datagram: wire.span.rawBytes)
            let header = try #require(parsed)
            #expect(wire.count == header.payload.upperBound, "over UDP there is no padding")
            return .channelData(header.channelNumber, Array(wire[header.payload]))
        }
        let message = try MessageView(parsing: wire.span.rawBytes)
        #expect(message.type == MessageType(.data, .indication))
        let peer = message.xorAddress(.xorPeerAddress)
        let data = message.dataRange
        return .dataIndication(peer: try #require(peer), Array(wire[try #require(data)]))
    }
}

import Foundation
import FuzzBodies
import NetPrimitives
import STUNCore
import TestSupport
import Testing

/// What a fuzzer begins with when there is no corpus yet: messages of our own builder, the same on every machine.
@Suite("The fuzzers' seeds")
struct SeedTests {
    /// The inputs of one target.
    static func seeds(_ target: FuzzTarget) -> [[UInt8]] {
        var random = SeededGenerator(seed: 8489)
        let key = IntegrityKey.longTerm(username: "fuzz", realm: "example.org", password: "secret")
        let messages = (0..<24).map { index in
            random.stunMessage(seal: IntegritySeal(key: key, algorithm: index % 2 == 0 ? .sha1 : .sha256))
        }
        let frames = (0..<12).map { index in
            let payload = random.bytes(index * 3)
            let header = ChannelData(channelNumber: 0x4000 + UInt16(index), length: UInt16(payload.count)).headerBits
            return (0..<4).map { UInt8(truncatingIfNeeded: header >> (24 - 8 * UInt32($0))) } + payload
        }
        switch target {
        case .message:
            return messages + [
                Vectors.sampleRequest, Vectors.ipv4Response, Vectors.ipv6Response, Vectors.longTermRequest,
                Vectors.userhashRequest,
            ]
        case .channeldata: return frames
        case .deframer:
            return zip(messages, frames).map { message, frame in
                random.bytes(4) + message + frame + [UInt8](repeating: 0, count: -frame.count & 3) + message.prefix(9)
            }
        case .icmp: return (0..<8).map { ICMPSeed.bytes(family: $0 % 2 == 0 ? .ipv4 : .ipv6, type: UInt8($0 / 2)) }
        case .relay: return (0..<24).map { random.bytes(40 + $0 * 20) }
        }
    }

    @Test("pass", arguments: FuzzTarget.allCases)
    func pass(target: FuzzTarget) throws {
        for seed in Self.seeds(target) { try target.run(seed.span.rawBytes) }
    }

    /// `CALLRELAY_WRITE_SEEDS` names a folder that gets a subfolder for each target.
    @Test("are written where they are asked for")
    func write() throws {
        guard let folder = ProcessInfo.processInfo.environment["CALLRELAY_WRITE_SEEDS"] else { return }
        for target in FuzzTarget.allCases {
            let place = URL(fileURLWithPath: folder).appendingPathComponent(target.rawValue)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            for (index, seed) in Self.seeds(target).enumerated() {
                try Data(seed).write(to: place.appendingPathComponent("seed-\(index)"))
            }
        }
    }
}

/// An ICMP error about a datagram from 192.0.2.1:50000, or its IPv6 sister; the checksum is the fuzz body's business.
private enum ICMPSeed {
    static func bytes(family: IPAddress.Family, type: UInt8) -> [UInt8] {
        let ports: [UInt8] = [0xC3, 0x50, 0x03, 0xE8, 0, 9, 0, 0]
        switch family {
        case .ipv4:
            let header = ipv4(inner: 1)
            return [0] + header + [type == 0 ? 11 : 3, type + 1, 0, 0, 0, 0, 5, 0xDC] + ipv4(inner: 17) + ports + [7]
        case .ipv6:
            let address: [UInt8] = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
            let header = [0x60, 0, 0, 0, 0, 9, type == 3 ? 44 : 17, 64] + address + address
            let fragment: [UInt8] = type == 3 ? [17, 0, 0, 1, 0, 0, 0, 9] : []
            return [1, type, 0, 0, 0, 0, 0, 5, 0] + header + fragment + ports + [7]
        }
    }

    private static func ipv4(inner: UInt8) -> [UInt8] {
        [0x45, 0, 0, 64, 0, 1, 0, 0, 64, inner, 0, 0, 192, 0, 2, 1, 203, 0, 113, 1]
    }
}

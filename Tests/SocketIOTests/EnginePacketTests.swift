import Testing

@testable import SocketIO

@Suite("Engine.IO packets and payloads")
struct EnginePacketTests {
    @Test("reads every type")
    func types() {
        #expect(EnginePacket(text: "0{}") == .open)
        #expect(EnginePacket(text: "1") == .close)
        #expect(EnginePacket(text: "2probe") == .ping("probe"))
        #expect(EnginePacket(text: "3") == .pong)
        #expect(EnginePacket(text: "4") == .message(.text("")))
        #expect(EnginePacket(text: "4€") == .message(.text("€")))
        #expect(EnginePacket(text: "5") == .upgrade)
        #expect(EnginePacket(text: "6") == .noop)
        #expect(EnginePacket(text: "bAQIDBA==") == .message(.binary([1, 2, 3, 4])))
        #expect(EnginePacket(text: "b") == .message(.binary([])))
        #expect(EnginePacket(.binary([7])) == .message(.binary([7])))
    }

    @Test("refuses what has no type", arguments: ["", "abc", "7", "9x", "é", " 4", "bA", "b====", "bAQ=D"])
    func refuses(text: String) {
        #expect(EnginePacket(text: text) == nil)
    }

    private func packets(of body: String) -> [String] {
        var packets: [String] = []
        var offset: Int? = 0
        while let packet = PollingPayload.nextPacket(of: body, from: &offset) {
            packets.append(packet)
        }
        return packets
    }

    @Test(
        "splits a body at its separators",
        arguments: [
            ("", [""]), ("4a", ["4a"]), ("4a\u{1E}4b", ["4a", "4b"]), ("4a\u{1E}", ["4a", ""]), ("\u{1E}", ["", ""]),
            ("4é\u{1E}4🎈\u{1E}b", ["4é", "4🎈", "b"]),
        ]
    )
    func splits(body: String, expected: [String]) {
        #expect(packets(of: body) == expected)
    }

    @Test("what is joined splits again", arguments: seeds)
    func roundTrip(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let frames: [EngineFrame] = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                let bytes = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                let text = String(decoding: bytes.filter { $0 != 0x1E }, as: UTF8.self)
                return Bool.random(using: &random) ? .binary(bytes) : .text("4" + text)
            }
            let read = packets(of: PollingPayload.encode(frames)).compactMap { EnginePacket(text: $0) }
            let expected = frames.map { frame -> EnginePacket in
                switch frame {
                case .text(let text): .message(.text(text.slice(1..<text.utf8.count)))
                case .binary(let bytes): .message(.binary(bytes))
                }
            }
            #expect(read == expected, "seed \(seed)")
        }
    }

    @Test(
        "base64 is that of RFC 4648",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
    )
    func base64(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded.utf8) == Array(plain.utf8))
        #expect(Base64.decode(encoded.filter { $0 != "=" }.utf8) == Array(plain.utf8))
    }

    @Test("session ids are 20 characters of base64url and differ")
    func identifiers() {
        var random = SeededGenerator(seed: 1)
        let ids = (0..<1_000).map { _ in SessionIdentifier.random(using: &random) }
        #expect(Set(ids).count == 1_000)
        #expect(
            ids.allSatisfy {
                $0.utf8.count == 20 && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
            }
        )
    }
}

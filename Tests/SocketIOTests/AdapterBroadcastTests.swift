import NetPrimitives
import Testing

@testable import SocketIO

/// The messages are captures of `@socket.io/redis-adapter` and `@socket.io/redis-emitter`, and of one made by hand in Python.
@Suite("Broadcasts in the format of the Redis adapter")
struct AdapterBroadcastTests {
    private static let byAdapter =
        "93a67771534c2d7a83a47479706502a46461746192ac7765627274632d6f6666657285a3736470a3763d30a16e01a166cb3ff8000000000000a36e75"
        + "6cc0a26f6bc3a36e7370a12f83a5726f6f6d7391a663616c6c3a31a665786365707491b45231496b58436b7058682d5544394c5641414141a5666c6167"
        + "7380"
    private static let byEmitter =
        "93a7656d697474657283a47479706502a46461746192aa63616c6c2d656e64656481a6726561736f6ea774696d656f7574a36e7370a12f83a5726f6f"
        + "6d7391a663616c6c3a31a5666c61677380a665786365707490"
    private static let volatile =
        "93a7656d697474657283a47479706502a46461746192a16e01a36e7370a12f83a5726f6f6d7392a663616c6c3a31a6757365723a32a5666c61677381"
        + "a8766f6c6174696c65c3a665786365707491a473696439"
    private static let binary =
        "93a67771534c2d7a83a47479706502a46461746192a162c403010203a36e7370a12f83a5726f6f6d7391a663616c6c3a31a665786365707491b45231"
        + "496b58436b7058682d5544394c5641414141a5666c61677380"
    private static let byHand =
        "93a7656d697474657283a47479706502a46461746192ab66726f6d2d707974686f6e81a16101a36e7370a12f83a5726f6f6d7391a663616c6c3a31a5"
        + "666c61677380a665786365707490"

    private static func bytes(_ hex: String) throws -> [UInt8] {
        let digits = Array(hex)
        return try stride(from: 0, to: digits.count, by: 2).map { index in
            try #require(UInt8(String(digits[index...(index + 1)]), radix: 16))
        }
    }

    private static func read(_ hex: String) throws -> AdapterBroadcast {
        try AdapterBroadcast(try bytes(hex))
    }

    @Test("What the adapter of Node.js wrote is read, and written again byte for byte")
    func adapter() throws {
        let broadcast = try Self.read(Self.byAdapter)
        let payload = try JSONText(validating: #"{"sdp":"v=0","n":1,"f":1.5,"nul":null,"ok":true}"#)
        #expect(
            broadcast
                == AdapterBroadcast(
                    sender: "wqSL-z",
                    event: "webrtc-offer",
                    arguments: [payload],
                    rooms: ["call:1"],
                    except: ["R1IkXCkpXh-UD9LVAAAA"]
                )
        )
        #expect(broadcast.encoded == (try Self.bytes(Self.byAdapter)))
    }

    @Test("What emitters wrote is read, whatever the order of its members, and by hand in Python too")
    func emitters() throws {
        let ended = try Self.read(Self.byEmitter)
        #expect(ended.sender == "emitter" && ended.event == "call-ended" && ended.except.isEmpty)
        #expect(ended.arguments.map(\.text) == [#"{"reason":"timeout"}"#])
        let volatile = try Self.read(Self.volatile)
        #expect(volatile.rooms == ["call:1", "user:2"] && volatile.except == ["sid9"])
        #expect(try Self.read(Self.byHand).arguments.map(\.text) == [#"{"a":1}"#])
    }

    @Test("Binary values are refused: our clients hear JSON")
    func refused() throws {
        #expect(throws: AdapterFailure.unsupported) { try Self.read(Self.binary) }
    }

    @Test("Channels are named as the adapter subscribes to them")
    func channels() {
        #expect(AdapterChannel().name == "socket.io#/#")
        #expect(AdapterChannel(rooms: ["call:1"]).name == "socket.io#/#call:1#")
        #expect(AdapterChannel(rooms: ["call:1", "user:2"]).name == "socket.io#/#")
        #expect(AdapterChannel(rooms: ["call:1"], namespace: "/calls").name == "socket.io#/calls#call:1#")
    }

    @Test(
        "Numbers take the shortest form that there is",
        arguments: [
            ("0", "00"), ("127", "7f"), ("128", "cc80"), ("256", "cd0100"), ("65536", "ce00010000"),
            ("4294967296", "cf0000000100000000"), ("-1", "ff"), ("-32", "e0"), ("-33", "d0df"), ("-129", "d1ff7f"),
            ("-32769", "d2ffff7fff"), ("-2147483649", "d3ffffffff7fffffff"), ("1.0", "01"), ("1e3", "cd03e8"),
            ("0.5", "cb3fe0000000000000"), ("1e400", "cb7ff0000000000000"),
        ]
    )
    func numbers(_ text: String, _ hex: String) throws {
        var writer = MessagePackWriter()
        writer.append(try JSONText(validating: text))
        #expect(writer.bytes == (try Self.bytes(hex)))
    }

    @Test("Whatever length a text, an array or an object has, it is read as it was written")
    func lengths() throws {
        for length in [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536] {
            let text = JSONText.string(String(repeating: "x", count: length))
            let array = JSONText.array(Array(repeating: 1, count: min(length, MessagePackReader.maximumCount)))
            let object = JSONText.object((0..<min(length, 300)).map { ("n\($0)", .integer($0)) })
            let broadcast = AdapterBroadcast(
                sender: "ours",
                event: "e",
                arguments: [text, array, object],
                rooms: ["r"]
            )
            #expect(try AdapterBroadcast(broadcast.encoded) == broadcast)
        }
    }

    @Test("Neither a cut message nor a changed byte is more than a failure; nothing too deep or too large is taken")
    func hostile() throws {
        let whole = try Self.bytes(Self.byAdapter)
        for length in 0..<whole.count {
            #expect(throws: AdapterFailure.self) { try AdapterBroadcast(Array(whole.prefix(length))) }
        }
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            var changed = whole
            changed[Int.random(in: 0..<changed.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            _ = try? AdapterBroadcast(changed)
        }
        let deep = [UInt8](repeating: 0x91, count: 200_000) + [0xC0]
        let head: [UInt8] = [0x93, 0xA1, 0x78, 0x81, 0xA4] + Array("data".utf8) + [0x91]
        #expect(throws: AdapterFailure.tooDeep) { try AdapterBroadcast((head + deep)) }
        #expect(throws: AdapterFailure.tooLarge) {
            try AdapterBroadcast((head + [0xDD, 0xFF, 0xFF, 0xFF, 0xFF]))
        }
        let large = [UInt8](repeating: 0, count: AdapterBroadcast.maximumBytes + 1)
        #expect(throws: AdapterFailure.tooLarge) { try AdapterBroadcast(large) }
    }
}

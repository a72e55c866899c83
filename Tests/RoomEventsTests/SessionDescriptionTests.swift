import CallModel
import Testing

@testable import RoomEvents

/// What Chromium offers for a microphone and a camera once it has gathered, with addresses of documentation.
let browserOffer =
    [
        "v=0", "o=- 4611731400430051336 2 IN IP4 192.0.2.10", "s=-", "t=0 0", "a=group:BUNDLE 0 1",
        "a=msid-semantic: WMS stream-1", "m=audio 52000 UDP/TLS/RTP/SAVPF 111 63", "c=IN IP4 198.51.100.7",
        "a=rtcp:52001 IN IP4 198.51.100.7", "a=candidate:1 1 udp 2122260223 192.0.2.10 52000 typ host generation 0",
        "a=candidate:2 1 udp 1686052607 198.51.100.7 52000 typ srflx raddr 192.0.2.10 rport 52000",
        "a=candidate:3 1 udp 2122260223 2001:db8::7 52002 typ host", "a=end-of-candidates", "a=ice-ufrag:abcd",
        "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=ice-options:trickle", "a=fingerprint:sha-256 AA:BB", "a=setup:actpass",
        "a=mid:0", "a=sendrecv", "a=msid:stream-1 track-1", "a=rtcp-mux", "a=rtpmap:111 opus/48000/2",
        "m=video 52000 UDP/TLS/RTP/SAVPF 96", "c=IN IP6 2001:db8::7", "a=ice-ufrag:abcd",
        "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=fingerprint:sha-256 AA:BB", "a=mid:1", "a=sendrecv",
        "a=msid:stream-1 track-2", "a=rtpmap:96 VP8/90000",
    ].joined(separator: "\r\n") + "\r\n"

@Suite("Session descriptions for rooms")
struct SessionDescriptionTests {
    @Test("no address is left, and everything else is")
    func addresses() throws {
        let text = try #require(SessionDescription(browserOffer)).text
        for address in ["192.0.2", "198.51.100", "2001:db8", "52000", "52001", "candidate"] {
            #expect(!text.contains(address), "\(address)")
        }
        let lines = text.split(separator: "\r\n").map(String.init)
        #expect(lines[1] == "o=- 4611731400430051336 2 IN IP4 127.0.0.1")
        #expect(
            lines.contains("m=audio 9 UDP/TLS/RTP/SAVPF 111 63") && lines.contains("m=video 9 UDP/TLS/RTP/SAVPF 96")
        )
        #expect(lines.count { $0 == "c=IN IP4 0.0.0.0" } == 2 && lines.contains("a=rtcp:9 IN IP4 0.0.0.0"))
        for kept in ["a=ice-ufrag:abcd", "a=fingerprint:sha-256 AA:BB", "a=rtpmap:96 VP8/90000", "a=mid:1"] {
            #expect(lines.contains(kept))
        }
        #expect(text.hasSuffix("\r\n") && SessionDescription(text)?.text == text)
    }

    @Test("streams are those of sections that send, with or without a picture")
    func streams() {
        #expect(SessionDescription(browserOffer)?.streams == [.init(id: "stream-1", hasVideo: true)])
        let deaf = browserOffer.replacing("a=mid:1\r\na=sendrecv", with: "a=mid:1\r\na=recvonly")
        #expect(SessionDescription(deaf)?.streams == [.init(id: "stream-1", hasVideo: false)])
        let refused = browserOffer.replacing("m=video 52000", with: "m=video 0")
        #expect(SessionDescription(refused)?.streams == [.init(id: "stream-1", hasVideo: false)])
        let nameless = browserOffer.replacing("a=msid:stream-1", with: "a=msid:-")
        #expect(SessionDescription(nameless)?.streams == [])
        let two = browserOffer.replacing("a=msid:stream-1 track-2", with: "a=msid:screen track-2")
        #expect(
            SessionDescription(two)?.streams == [
                .init(id: "stream-1", hasVideo: false), .init(id: "screen", hasVideo: true),
            ]
        )
    }

    @Test("line ends may be bare, and credentials may stand before all media")
    func forms() {
        #expect(
            SessionDescription(browserOffer.replacing("\r\n", with: "\n"))?.text
                == SessionDescription(browserOffer)?.text
        )
        let early = ["v=0", "s=-", "a=ice-ufrag:a", "a=ice-pwd:b", "a=fingerprint:c", "m=audio 9 X 0", "a=sendrecv"]
        #expect(SessionDescription(early.joined(separator: "\n")) != nil)
    }

    @Test(
        "what clients of a room could not take is none",
        arguments: [
            "", "v=0", "garbage", "v=1\r\n" + browserOffer.dropFirst(5),
            browserOffer.replacing("m=audio", with: "m=application"),
            browserOffer.replacing("a=mid:0\r\na=sendrecv", with: "a=mid:0\r\na=recvonly"),
            browserOffer.replacing("a=mid:0\r\na=sendrecv", with: "a=mid:0\r\na=inactive"),
            browserOffer.replacing("m=audio 52000", with: "m=audio 0"),
            browserOffer.replacing("m=audio 52000", with: "m=audio"),
            browserOffer.replacing("a=fingerprint", with: "a=print"), browserOffer.replacing("a=ice-pwd", with: "a=p"),
            browserOffer.replacing("a=ice-ufrag", with: "a=u"),
            browserOffer + String(repeating: "a=x\r\n", count: SessionDescription.sizeLimit / 5),
            String(repeating: browserOffer, count: 100),
        ]
    )
    func unfit(_ sdp: String) {
        #expect(SessionDescription(sdp) == nil)
    }

    @Test("nothing that is no description traps")
    func noise() {
        var generator = Noise(state: 7)
        let lines = browserOffer.split(separator: "\r\n").map(String.init)
        for _ in 0..<2_000 {
            var some = lines.filter { _ in Int.random(in: 0..<4, using: &generator) > 0 }.map { line in
                String(line.prefix(Int.random(in: 0...line.count, using: &generator)))
            }
            some.shuffle(using: &generator)
            _ = SessionDescription((["v=0"] + some).joined(separator: "\n"))
        }
    }

    @Test("an offer that nobody made has the sections and streams of one", arguments: CallType.allCases)
    func synthetic(_ callType: CallType) throws {
        var generator = SystemRandomNumberGenerator()
        let first = try #require(SyntheticOffer.make(callType, using: &generator))
        let second = try #require(SyntheticOffer.make(callType, using: &generator))
        #expect(first.text != second.text)
        #expect(first.streams.count == 1 && first.streams[0].hasVideo == (callType == .video))
        #expect(first.text.contains("m=video") == (callType == .video))
    }
}

struct Noise: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

import STUNCore
import Testing

@Suite("PacketClass")
struct PacketClassTests {
    @Test(
        "sorts first bytes as RFC 7983 §7 draws the lines",
        arguments: [
            (UInt8(0), PacketClass.stun), (3, .stun), (4, .other), (15, .other), (16, .zrtp), (19, .zrtp), (20, .dtls),
            (63, .dtls), (64, .channelData), (79, .channelData), (80, .other), (127, .other), (128, .rtp), (191, .rtp),
            (192, .other), (255, .other),
        ]
    )
    func boundaries(firstByte: UInt8, expected: PacketClass) {
        #expect(PacketClass(firstByte: firstByte) == expected)
    }
}

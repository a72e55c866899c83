import BenchCore
import CallBench
import NetPrimitives
import Testing

@Suite("What a client reads")
struct ClientPacketTests {
    @Test("the packets that there are, with whatever stands in them")
    func packets() {
        #expect(ClientPacket(#"0{"sid":"x","pingInterval":25000}"#) == .open)
        #expect(ClientPacket("2") == .ping)
        #expect(ClientPacket(#"40{"sid":"x"}"#) == .connected)
        #expect(ClientPacket(#"44{"message":"no"}"#) == .refused(#"{"message":"no"}"#))
        #expect(ClientPacket("41") == .closed)
        #expect(ClientPacket("1") == .closed)
        #expect(ClientPacket("6") == .other)
        #expect(ClientPacket("") == .other)
        #expect(
            ClientPacket(#"42["ice-candidate",{"candidate":"a]b","list":[1]}]"#)
                == .event(name: "ice-candidate", payload: #"{"candidate":"a]b","list":[1]}"#)
        )
        #expect(ClientPacket(#"4312[{"ok":true}]"#) == .acknowledgement(12, payload: #"{"ok":true}"#))
        #expect(ClientPacket("43[]") == .other)
        #expect(ClientPacket("42") == .other)
        #expect(ClientPacket(#"42["alone"]"#) == .event(name: "alone", payload: ""))
    }

    @Test("a stamp is found again in the event that it travels in, and nowhere else")
    func stamps() {
        let stamp = SignalStamp(number: 41, due: Instant(nanoseconds: 12_345_678_901))
        let payload = #"{"callId":"c","seq":9,"from":"@a:b","candidate":\#(stamp.candidate)}"#
        #expect(SignalStamp(in: payload) == stamp)
        #expect(SignalStamp(in: #"{"candidate":{"candidate":"a ufrag dueXn1e"}}"#) == nil)
        #expect(SignalStamp(in: #"{"candidate":null}"#) == nil)
        #expect(SignalStamp(in: " ufrag due12") == nil)
        let later = SignalStamp(number: 42, due: stamp.due)
        #expect(SignalStamp.all(in: "[\(payload),{},\(later.candidate)]") == [stamp, later])
        #expect(PayloadText.sequence(in: payload) == 9)
        #expect(PayloadText.sequence(in: "{}") == nil)
    }

    @Test("a ledger counts what came once, and what came again or too late")
    func ledger() {
        var ledger = SignalLedger()
        for number: UInt64 in [0, 1, 3, 2, 3, 4] { ledger.take(number) }
        #expect(ledger.received == 4 && ledger.misplaced == 2)
        #expect(ledger.missing(of: 6) == 2)
    }

    @Test("a run that could not send what it should have, or was too busy, is void")
    func void() {
        #expect(OpenLoopRule.reasons(generatorBusy: 0.5, sentPerSecond: 999, offeredPerSecond: 1000).isEmpty)
        #expect(OpenLoopRule.reasons(generatorBusy: 0.95, sentPerSecond: 1000, offeredPerSecond: 1000).count == 1)
        #expect(OpenLoopRule.reasons(generatorBusy: 0.95, sentPerSecond: 900, offeredPerSecond: 1000).count == 2)
    }
}

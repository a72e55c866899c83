import Testing

@testable import SocketIO

@Suite("Socket.IO packets")
struct SocketPacketTests {
    private let limits = SocketConfiguration()

    @Test("reads each part")
    func parts() throws {
        let packet = try SocketPacketParser.parse(
            "52-/admin,456[\"a\",{\"_placeholder\":true,\"num\":0}]",
            limits: limits
        )
        #expect(packet.kind == .binaryEvent)
        #expect(packet.attachmentCount == 2)
        #expect(packet.namespace == "/admin")
        #expect(packet.acknowledgementID == 456)
        #expect(packet.payload?.text == "[\"a\",{\"_placeholder\":true,\"num\":0}]")
    }

    @Test(
        "what it writes is what it read",
        arguments: [
            "0", "0{\"token\":\"123\"}", "0/admin,{\"sid\":\"x\"}", "1/admin,", "1", "2[\"hey\"]", "2/a/b,12[\"x\",1]",
            "30[]", "3/admin,7[1]", "4/random,{\"message\":\"m\"}", "51-[\"x\",{\"_placeholder\":true,\"num\":0}]",
            "61-/a,3[{\"_placeholder\":true,\"num\":0}]", "50-[\"x\"]", "218446744073709551615[\"x\"]",
        ]
    )
    func roundTrip(text: String) throws {
        #expect(try SocketPacketParser.parse(text, limits: limits).text == text)
    }

    @Test("the comma after a namespace may be missing", arguments: ["0/custom", "0/custom,"])
    func comma(text: String) throws {
        let packet = try SocketPacketParser.parse(text, limits: limits)
        #expect(packet.namespace == "/custom" && packet.payload == nil)
    }

    @Test(
        "refuses what is no packet",
        arguments: [
            ("", SocketPacketFailure.unknownType), ("x", .unknownType), ("7", .unknownType), ("é", .unknownType),
            ("5[\"x\"]", .malformedAttachmentCount), ("5-[\"x\"]", .malformedAttachmentCount),
            ("51[\"x\"]", .malformedAttachmentCount), ("5999999999999-[]", .malformedAttachmentCount),
            ("511-[\"x\"]", .tooManyAttachments), ("218446744073709551616[]", .malformedAcknowledgementID),
            ("0/" + String(repeating: "é", count: 200), .namespaceTooLong),
            ("2[", .malformedPayload(.malformed(at: 1))), ("2[] ]", .malformedPayload(.malformed(at: 3))),
        ]
    )
    func refuses(text: String, failure: SocketPacketFailure) {
        #expect(throws: failure) { try SocketPacketParser.parse(text, limits: limits) }
    }

    @Test(
        "refuses payloads that do not suit the type",
        arguments: [
            "0[]", "0null", "1{}", "4{}", "2", "2{}", "2[]", "2[null]", "2[[]]", "2[\"connect\"]",
            "2[\"connect_error\"]",
            "2[\"disconnect\"]", "2[\"disconnecting\"]", "2[\"newListener\"]", "2[\"removeListener\"]",
            "2[\"\\u0063onnect\"]", "3", "3{}", "50-{}",
        ]
    )
    func payloads(text: String) throws {
        let packet = try SocketPacketParser.parse(text, limits: limits)
        #expect(throws: SocketPacketFailure.illegalPayload) { try packet.checkedArguments(limits: limits) }
    }

    @Test("random text is refused or read, never a trap", arguments: seeds)
    func fuzz(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("0123456-/,[]{}\"a:é".unicodeScalars)
        for _ in 0..<5_000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                text.unicodeScalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
            }
            guard let packet = try? SocketPacketParser.parse(text, limits: limits) else { continue }
            let again = try? SocketPacketParser.parse(packet.text, limits: limits)
            #expect(again == packet, "seed \(seed): \(text)")
        }
    }

    @Test("puts a binary packet together, and takes nothing in between")
    func attachments() throws {
        var collector = AttachmentCollector()
        let header = EngineMessage.text(
            "52-[\"x\",{\"_placeholder\":true,\"num\":1},{\"a\":[{\"_placeholder\":true,\"num\":0}]}]"
        )
        #expect(try collector.receive(header, limits: limits) == nil)
        #expect(try collector.receive(.binary([1]), limits: limits) == nil)
        let complete = try collector.receive(.binary([2]), limits: limits)
        #expect(complete?.attachments == [[1], [2]])
        #expect(complete?.arguments.count == 3)
        #expect(throws: SocketPacketFailure.unexpectedBinary) { try collector.receive(.binary([3]), limits: limits) }
        _ = try collector.receive(header, limits: limits)
        #expect(throws: SocketPacketFailure.unexpectedText) { try collector.receive(.text("2[\"x\"]"), limits: limits) }
    }

    @Test(
        "refuses placeholders for attachments that are not there",
        arguments: ["1", "-1", "0.5", "\"0\"", "null", "{}"]
    )
    func placeholders(number: String) {
        var collector = AttachmentCollector()
        let header = EngineMessage.text("51-[\"x\",{\"a\":[{\"_placeholder\":true,\"num\":\(number)}]}]")
        #expect(throws: SocketPacketFailure.illegalAttachment) { try collector.receive(header, limits: limits) }
    }
}

import NetPrimitives
import STUNCore
import STUNServer
import TestSupport
import Testing

@Suite("RequestGate")
struct RequestGateTests {
    private func check(_ bytes: [UInt8], _ known: KnownAttributes = .stun) throws -> RequestGate.Outcome {
        let message = try MessageView(parsing: bytes.span.rawBytes)
        return RequestGate.check(message, known: known)
    }

    @Test("a request gets 420 for what it must not ignore, each type once; an indication is dropped")
    func comprehension() throws {
        let unknown = AttributeType(rawValue: 0x7777)
        func message(_ messageClass: MessageClass) -> [UInt8] {
            stunMessage(MessageType(.binding, messageClass)) { builder in
                builder.appendSoftware("optional")
                builder.appendLifetime(seconds: 1)
                builder.append(unknown, text: "x")
                builder.append(unknown, text: "y")
                builder.append(AttributeType(rawValue: 0xC001), text: "optional")
            }
        }
        #expect(try check(message(.request)) == .unknownAttributes([.lifetime, unknown]))
        let withLifetime = KnownAttributes.stun.union(KnownAttributes([.lifetime]))
        #expect(try check(message(.request), withLifetime) == .unknownAttributes([unknown]))
        #expect(try check(message(.indication)) == .drop(.unknownAttribute))
        #expect(try check(message(.success)) == .drop(.response))
        #expect(try check(message(.error)) == .drop(.response))
    }

    @Test("no more types are listed than the limit")
    func limit() throws {
        let bytes = stunMessage(MessageType(.binding, .request)) { builder in
            for number in UInt16(0x100)..<0x200 { builder.append(AttributeType(rawValue: number), text: "") }
        }
        guard case .unknownAttributes(let types) = try check(bytes) else {
            Issue.record("the request was not refused")
            return
        }
        #expect(types.count == RequestGate.maximumListedTypes)
    }

    @Test("a wrong FINGERPRINT drops the message; unknown types behind the integrity do not count")
    func fingerprintAndIntegrity() throws {
        var wrong = stunMessage(MessageType(.binding, .request), fingerprint: true)
        #expect(try check(wrong) == .proceed)
        wrong[27] ^= 1
        #expect(try check(wrong) == .drop(.fingerprint))
        let seal = IntegritySeal(key: .shortTerm(password: "x"), algorithm: .sha1)
        var trailing = stunMessage(MessageType(.binding, .request), sealedBy: seal) + [0x77, 0x77, 0, 0]
        trailing[3] += 4
        #expect(try check(trailing) == .proceed)
    }
}

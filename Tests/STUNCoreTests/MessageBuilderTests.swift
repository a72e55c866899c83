import NetPrimitives
import STUNCore
import TestSupport
import Testing

@Suite("MessageBuilder")
struct MessageBuilderTests {
    private let type = MessageType(.binding, .success)
    private let transactionID = TransactionID(high: 1, low: 2)

    @Test("messages stand one after the other, each as if it were alone")
    func several() throws {
        let seal = IntegritySeal(key: .shortTerm(password: "secret"), algorithm: .sha1)
        var builder = MessageBuilder(capacity: 512)
        var ranges: [Range<Int>] = []
        for number in UInt32(1)...3 {
            builder.begin(type, transactionID)
            builder.appendLifetime(seconds: number)
            let range = builder.finish(sealedBy: seal, fingerprint: true)
            ranges.append(try #require(range))
        }
        for (index, range) in ranges.enumerated() {
            let message = try MessageView(parsing: builder.bytes(in: range))
            let lifetime = message.lifetimeSeconds
            let isSealed = message.verifyIntegrity(.sha1, key: seal.key)
            let isMarked = message.isFingerprintRight && message.fingerprint != nil
            #expect(lifetime == UInt32(index + 1))
            #expect(isSealed && isMarked)
        }
        #expect(ranges.map(\.count) == [60, 60, 60])
    }

    @Test("a message that does not fit leaves no trace, and the next one is whole", arguments: 20..<60)
    func overflow(capacity: Int) throws {
        let seal = IntegritySeal(key: .shortTerm(password: "secret"), algorithm: .sha1)
        var builder = MessageBuilder(capacity: 20 + capacity)
        builder.begin(type, transactionID)
        let first = builder.finish()
        #expect(first == 0..<20)
        builder.begin(type, transactionID)
        builder.appendLifetime(seconds: 1)
        let tooLong = builder.finish(sealedBy: seal, fingerprint: true)
        #expect(tooLong == nil)
        let count = builder.count
        #expect(count == 20)
        builder.begin(type, transactionID)
        let second = builder.finish()
        #expect(second == 20..<40)
    }

    @Test("an attribute longer than its length field can say is refused, not cut")
    func tooLongAttribute() {
        var builder = MessageBuilder(capacity: 200_000)
        builder.begin(type, transactionID)
        builder.append(.data, [UInt8](repeating: 1, count: 70_000).span.rawBytes)
        let single = builder.finish()
        #expect(single == nil)
        builder.begin(type, transactionID)
        for _ in 0..<3 { builder.append(.data, [UInt8](repeating: 1, count: 30_000).span.rawBytes) }
        let several = builder.finish(fingerprint: true)
        #expect(several == nil)
    }
}

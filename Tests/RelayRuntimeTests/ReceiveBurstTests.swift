import Testing

@testable import RelayRuntime

@Suite("How many datagrams a relay socket is asked for")
struct ReceiveBurstTests {
    @Test("one, as long as it is not ready in two passes in a row")
    func voice() {
        var burst = ReceiveBurst()
        for pass in stride(from: UInt32(2), to: 2000, by: 2) {
            burst.note(isFilled: true, pass: pass, limit: 16)
            #expect(burst.size == 1)
        }
    }

    @Test("twice as many each time that it had them all, up to the limit, and half as many each time that it had not")
    func video() {
        var burst = ReceiveBurst()
        let sizes = (UInt32(10)..<16).map { pass in
            burst.note(isFilled: true, pass: pass, limit: 16)
            return burst.size
        }
        #expect(sizes == [1, 2, 4, 8, 16, 16])
        // The next burst comes many passes later and is asked for at once.
        burst.note(isFilled: true, pass: 500, limit: 16)
        #expect(burst.size == 16)
        let fewer = (UInt32(600)..<606).map { pass in
            burst.note(isFilled: false, pass: pass, limit: 16)
            return burst.size
        }
        #expect(fewer == [8, 4, 2, 1, 1, 1])
    }

    @Test("passes are counted round and round")
    func wrap() {
        var burst = ReceiveBurst()
        burst.note(isFilled: true, pass: .max, limit: 16)
        burst.note(isFilled: true, pass: 0, limit: 16)
        #expect(burst.size == 2)
    }
}

import Testing

@testable import RelayRuntime

@Suite("How many datagrams a relay socket is asked for")
struct ReceiveBurstTests {
    @Test("one, as long as it is not ready in two passes in a row")
    func voice() {
        var burst = ReceiveBurst()
        for pass in stride(from: UInt16(2), to: 2000, by: 2) {
            let joins = burst.note(isFilled: true, pass: pass, limit: 16)
            #expect(burst.size == 1 && !joins && !burst.isJoining)
        }
    }

    @Test("twice as many each time that it had them all, up to the limit, and half as many each time that it had not")
    func video() {
        var burst = ReceiveBurst()
        let sizes = (UInt16(10)..<16).map { pass in
            _ = burst.note(isFilled: true, pass: pass, limit: 16)
            return burst.size
        }
        #expect(sizes == [1, 2, 4, 8, 16, 16])
        // The next burst comes many passes later and is asked for at once.
        _ = burst.note(isFilled: true, pass: 500, limit: 16)
        #expect(burst.size == 16)
        let fewer = (UInt16(600)..<606).map { pass in
            _ = burst.note(isFilled: false, pass: pass, limit: 16)
            return burst.size
        }
        #expect(fewer == [8, 4, 2, 1, 1, 1])
    }

    @Test("passes are counted round and round")
    func wrap() {
        var burst = ReceiveBurst()
        _ = burst.note(isFilled: true, pass: .max, limit: 16)
        _ = burst.note(isFilled: true, pass: 0, limit: 16)
        #expect(burst.size == 2)
    }

    @Test("datagrams are to be joined from the first larger read on, which is said once, and for good")
    func joining() {
        var burst = ReceiveBurst()
        let fillings = [true, true, true, false, false, true, true]
        let said = fillings.enumerated().map { pass, isFilled in
            burst.note(isFilled: isFilled, pass: UInt16(pass + 10), limit: 16)
        }
        #expect(said == [false, true, false, false, false, false, false])
        #expect(burst.size == 4 && burst.isJoining)
    }
}

import PacketIO
import Testing

@Suite("RandomBytes")
struct RandomBytesTests {
    @Test("numbers do not come again, whatever their sizes and however often the store is filled")
    func unique() {
        var bytes = RandomBytes()
        var seen = Set<UInt64>()
        let count = 3 * RandomBytes.capacity / 12
        for _ in 0..<count {
            // Sizes that do not divide the store, as those who take 12 bytes ask for them.
            _ = bytes.nextUInt32()
            seen.insert(bytes.nextUInt64())
        }
        #expect(seen.count == count)
    }

    @Test("every bit is set in some numbers and not in others")
    func everyBit() {
        var bytes = RandomBytes()
        var (anyOf64, allOf64, anyOf32, allOf32) = (UInt64.min, UInt64.max, UInt32.min, UInt32.max)
        for _ in 0..<2 * RandomBytes.capacity / 12 {
            let (small, large) = (bytes.nextUInt32(), bytes.nextUInt64())
            (anyOf32, allOf32) = (anyOf32 | small, allOf32 & small)
            (anyOf64, allOf64) = (anyOf64 | large, allOf64 & large)
        }
        #expect((anyOf64, allOf64) == (.max, 0))
        #expect((anyOf32, allOf32) == (.max, 0))
    }

    @Test("two stores have nothing in common")
    func independent() {
        var one = RandomBytes()
        var other = RandomBytes()
        var numbers = Set<UInt64>()
        for _ in 0..<RandomBytes.capacity / 8 { numbers.insert(one.nextUInt64()) }
        for _ in 0..<RandomBytes.capacity / 8 {
            let number = other.nextUInt64()
            #expect(!numbers.contains(number))
        }
    }
}

import TestSupport
import Testing

@testable import TURNRelay

@Suite("A list that is mostly short")
struct ShortListTests {
    @Test("behaves as an array through any history")
    func model() throws {
        try checkProperty("ShortList against Array", iterations: 300) { generator in
            var list = ShortList<UInt8>()
            var array: [UInt8] = []
            for _ in 0..<40 {
                let value = UInt8.random(in: 0..<8, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0 where !array.isEmpty:
                    let index = Int.random(in: 0..<array.count, using: &generator)
                    list[index] = value
                    array[index] = value
                case 1:
                    list.removeAll { $0 & value == value }
                    array.removeAll { $0 & value == value }
                default:
                    list.append(value)
                    array.append(value)
                }
                try claim(Array(list) == array && list.count == array.count, "\(Array(list)), right was \(array)")
            }
        }
    }
}

import NetPrimitives
import TestSupport
import Testing

@Suite("Slab")
struct SlabTests {
    @Test("a removed element's name finds nothing, also when its place is used again")
    func generations() throws {
        var slab = Slab<String>(maximumCount: 1)
        let inserted = slab.insert("a")
        let first = try #require(inserted)
        let refused = slab.insert("b")
        #expect(refused == nil)
        let removed = slab.remove(first)
        #expect(removed == "a")
        let insertedAgain = slab.insert("b")
        let second = try #require(insertedAgain)
        #expect(second.slot == first.slot)
        let (stale, current, removedTwice) = (slab[first], slab[second], slab.remove(first))
        #expect(stale == nil && removedTwice == nil)
        #expect(current == "b")
        let kept = slab[second]
        #expect(kept == "b")
    }

    @Test("what is looked at in its place is what is there, and nothing in an empty place or beyond the last")
    func look() throws {
        var slab = Slab<String>(maximumCount: 200)
        for number in 0..<130 { _ = slab.insert("\(number)") }
        let inPlace = slab.index(at: 64)
        _ = slab.remove(try #require(inPlace))
        for place in 0..<130 {
            let seen = slab.look(at: place) { $0 }
            #expect(seen == (place == 64 ? nil : "\(place)"))
        }
        for place in [-1, 192, 1_000_000] {
            let seen = slab.look(at: place) { $0 }
            #expect(seen == nil, "\(place)")
        }
    }

    @Test("behaves as a dictionary of names through any history")
    func model() throws {
        try checkProperty("Slab against Dictionary", iterations: 200) { generator in
            var slab = Slab<UInt64>(maximumCount: 20)
            var model: [SlabIndex: UInt64] = [:]
            var everGiven: [SlabIndex] = []
            for _ in 0..<200 {
                let value = generator.next()
                let known = everGiven.randomElement(using: &generator)
                switch (Int.random(in: 0..<4, using: &generator), known) {
                case (2, let index?):
                    let removed = slab.remove(index)
                    try claim(removed == model.removeValue(forKey: index), "remove \(index)")
                case (3, let index?):
                    let changed: Void? = slab.update(index) { $0 = value }
                    try claim((changed != nil) == (model[index] != nil), "update \(index)")
                    if changed != nil { model[index] = value }
                default:
                    guard let index = slab.insert(value) else {
                        try claim(model.count == 20, "refused at \(model.count)")
                        continue
                    }
                    try claim(!everGiven.contains(index), "\(index) was given out twice")
                    everGiven.append(index)
                    model[index] = value
                }
            }
            for index in everGiven { try claim(slab[index] == model[index], "\(index)") }
            let swept = (0..<slab.placeCount).compactMap { slab.index(at: $0) }
            try claim(Set(swept) == Set(model.keys) && slab.count == model.count, "a sweep finds others")
        }
    }
}

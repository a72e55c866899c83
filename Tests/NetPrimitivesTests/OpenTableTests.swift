import NetPrimitives
import TestSupport
import Testing

@Suite("OpenTable")
struct OpenTableTests {
    @Test("behaves as a dictionary through any history of inserts, updates and removals")
    func model() throws {
        try checkProperty("OpenTable against Dictionary", iterations: 200) { generator in
            var table = OpenTable<Endpoint, UInt32>(minimumCapacity: 0, seed: generator.next())
            var model: [Endpoint: UInt32] = [:]
            // Few keys, so that they meet again; more than the first table has places for, so that it grows.
            let keys = (0..<Int.random(in: 1...120, using: &generator)).map { _ in generator.endpoint() }
            for _ in 0..<400 {
                let key = keys[Int.random(in: 0..<keys.count, using: &generator)]
                let value = UInt32(truncatingIfNeeded: generator.next())
                switch Int.random(in: 0..<5, using: &generator) {
                case 0, 1:
                    let replaced = table.insert(value, for: key)
                    try claim(replaced == model.updateValue(value, forKey: key), "insert \(key)")
                case 2:
                    let wasThere = table.update(key) { $0 = value }
                    try claim(wasThere == (model[key] != nil), "update \(key)")
                    if wasThere { model[key] = value }
                default:
                    let removed = table.removeValue(for: key)
                    try claim(removed == model.removeValue(forKey: key), "remove \(key)")
                }
                try claim(table.count == model.count, "\(table.count) entries, not \(model.count)")
                try claim(table.count * 4 <= table.slotCount * 3, "more than three quarters full")
            }
            for key in keys {
                try claim(table.value(for: key) == model[key] && table.contains(key) == (model[key] != nil), "\(key)")
            }
            var swept: [Endpoint: UInt32] = [:]
            for index in 0..<table.slotCount {
                if let entry = table.entry(at: index) { swept[entry.key] = entry.value }
            }
            try claim(swept == model, "a sweep finds other entries")
            table.removeAll()
            try claim(table.count == 0 && !keys.contains { table.contains($0) }, "not empty")
        }
    }

    @Test("keys that differ in one field are different keys")
    func everyFieldCounts() throws {
        let client = try Endpoint(parsing: "192.0.2.1:1000")
        let base = Flow(client: client, socket: SocketID(slot: 1, generation: 0), transport: .udp)
        let others = [
            Flow(client: try Endpoint(parsing: "192.0.2.1:1001"), socket: base.socket, transport: .udp),
            Flow(client: try Endpoint(parsing: "192.0.2.2:1000"), socket: base.socket, transport: .udp),
            Flow(client: try Endpoint(parsing: "[::c000:201]:1000"), socket: base.socket, transport: .udp),
            Flow(client: client, socket: SocketID(slot: 2, generation: 0), transport: .udp),
            Flow(client: client, socket: SocketID(slot: 1, generation: 1), transport: .udp),
            Flow(client: client, socket: base.socket, transport: .tls),
        ]
        var table = OpenTable<Flow, UInt16>(minimumCapacity: 8, seed: 1)
        table.insert(7, for: base)
        for other in others {
            let isThere = table.contains(other)
            #expect(!isThere)
        }
        let value = table.value(for: base)
        #expect(value == 7)
    }

    @Test("the hash follows the seed, so prepared collisions do not carry over")
    func seeded() {
        func hash(_ word: UInt64, seed: UInt64) -> UInt64 {
            var hash = KeyedHash(seed: seed)
            hash.combine(word)
            return hash.value
        }
        let bucket: UInt64 = 0x3FF
        let colliding = (UInt64(0)..<200_000).filter { hash($0, seed: 11) & bucket == 5 }
        let spread = Set(colliding.map { hash($0, seed: 12) & bucket })
        #expect(colliding.count > 100)
        #expect(spread.count > colliding.count / 4)
    }
}

import Locking
import Testing

@Suite("A locked value")
struct LockedTests {
    /// What several tasks count in.
    private final class Counter: Sendable {
        let counts = Locked<[Int: Int]>([:])
    }

    private struct Refusal: Error {}

    @Test("has one holder at a time, who sees all that earlier ones wrote")
    func holdersTakeTurns() async {
        let counter = Counter()
        let tasks = 4
        let roundsPerTask = 20_000
        await withTaskGroup { group in
            for _ in 0..<tasks {
                group.addTask {
                    for round in 0..<roundsPerTask {
                        counter.counts.withLock { $0[round % 7, default: 0] += 1 }
                    }
                }
            }
        }
        #expect(counter.counts.withLock { $0.values.reduce(0, +) } == tasks * roundsPerTask)
    }

    @Test("is free again after an error, and keeps what was written before it")
    func errorsLetGo() {
        let value = Locked(0)
        #expect(throws: Refusal.self) {
            try value.withLock { value throws(Refusal) in
                value = 1
                throw Refusal()
            }
        }
        #expect(value.withLock { $0 } == 1)
    }
}

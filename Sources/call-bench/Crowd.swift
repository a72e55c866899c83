import BenchSupport

/// Many things done at once, but not more than so many at a time.
enum Crowd {
    /// Does `body` for 0..<count and answers what came of each, in order; throws the first failure.
    static func gather<Result: Sendable>(
        _ count: Int,
        atATime window: Int = 64,
        status: StatusLine,
        saying what: String,
        _ body: @escaping @Sendable (Int) async throws -> Result
    ) async throws -> [Result] {
        var results: [Result?] = Array(repeating: nil, count: count)
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var started = 0
            var finished = 0
            while started < min(window, count) {
                let index = started
                group.addTask { (index, try await body(index)) }
                started += 1
            }
            while let (index, result) = try await group.next() {
                results[index] = result
                finished += 1
                if finished.isMultiple(of: 250) || finished == count { status.show("\(what): \(finished) of \(count)") }
                if started < count {
                    let index = started
                    group.addTask { (index, try await body(index)) }
                    started += 1
                }
            }
        }
        return results.compactMap(\.self)
    }
}

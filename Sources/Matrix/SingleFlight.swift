import Locking

/// Lets those who want the same answer at the same time share one question.
final class SingleFlight<Key: Hashable & Sendable, Answer: Sendable>: Sendable {
    private let limit: Int
    private let underway = Locked<[Key: Task<Answer, Never>]>([:])

    /// At most `limit` questions at the same time.
    init(limit: Int) { self.limit = limit }

    /// The answer to the question that `key` names, asked by `ask` unless it is being asked already; `nil` if too many others are.
    ///
    /// The question goes on when whoever asked first gives up: others wait for the answer.
    func answer(_ key: Key, _ ask: @escaping @Sendable () async -> Answer) async -> Answer? {
        let task: Task<Answer, Never>? = underway.withLock { tasks in
            if let task = tasks[key] { return task }
            guard tasks.count < limit else { return nil }
            let task = Task {
                let answer = await ask()
                self.underway.withLock { $0[key] = nil }
                return answer
            }
            tasks[key] = task
            return task
        }
        return await task?.value
    }
}

/// The thread, or what stands for one, on which a store tells its callers and waits for the right moment.
///
/// An event loop that has to do with the callers anyway saves waking another thread for each of them.
public struct StoreLoop: Sendable {
    let run: @Sendable (@escaping @Sendable () -> Void) -> Void
    let runLater: @Sendable (Duration, @escaping @Sendable () -> Void) -> Void

    /// `run` does the works that it is given in their order, `runLater` one after a while.
    public init(
        run: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
        runLater: @escaping @Sendable (Duration, @escaping @Sendable () -> Void) -> Void
    ) {
        self.run = run
        self.runLater = runLater
    }

    /// None: callers are told on the database's own thread.
    public static let none = StoreLoop(
        run: { $0() },
        runLater: { delay, work in
            Task {
                try? await Task.sleep(for: delay)
                work()
            }
        }
    )
}

public import Synchronization

/// A value behind a lock: `Synchronization`'s `Mutex`, with a hand-over that ThreadSanitizer sees.
///
/// Whoever has to wait for a `Mutex` takes it inside the standard library, which no sanitizer has instrumented. To
/// ThreadSanitizer two such holders look unordered, and everything that the lock protects looks like a race. The atomic
/// that each holder reads first and writes last orders them in its view too; on hardware it costs a load and a store.
public struct Locked<Value: ~Copyable>: ~Copyable {
    @usableFromInline let mutex: Mutex<Value>
    @usableFromInline let handOver = Atomic(false)

    /// A value that nobody has locked.
    @inlinable public init(_ value: consuming sending Value) {
        mutex = Mutex(value)
    }

    /// Runs `body` with the value, which nobody else reads or changes meanwhile. Must not be called again inside.
    @inlinable public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try mutex.withLock { value throws(Failure) in
            _ = handOver.load(ordering: .acquiring)
            defer { handOver.store(true, ordering: .releasing) }
            return try body(&value)
        }
    }
}

extension Locked: Sendable where Value: ~Copyable {}

/// Wakes whoever works off an outbox. Rings that nobody has heard yet are one.
struct Bell: Sendable {
    let rings: AsyncStream<Void>
    private let ringer: AsyncStream<Void>.Continuation

    init() { (rings, ringer) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func ring() { ringer.yield() }

    /// Rings until cancelled, which ends it for good.
    func ring(every interval: Duration) async {
        while !Task.isCancelled {
            ringer.yield()
            // A cancelled sleep ends the loop.
            try? await Task.sleep(for: interval)
        }
        ringer.finish()
    }
}

/// Milliseconds between tries.
extension ClosedRange<Int64> {
    /// The shortest pause after the first try, twice as long each time, up to the longest.
    func doubled(after attempts: Int) -> Int64 {
        Swift.min(lowerBound << Swift.min(Swift.max(attempts - 1, 0), 20), upperBound)
    }
}

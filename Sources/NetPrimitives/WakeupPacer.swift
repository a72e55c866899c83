/// How long a packet loop lets packets gather before it looks for them: not at all while they come singly, and a little
/// under load, when being woken for each costs more than relaying it.
///
/// It follows the mean gap between packets. While at least two would come within `longestWait`, it waits for
/// `packetsPerPass` of them, at most `longestWait`, counted from the beginning of the pass before. Where a wait brought
/// nothing, since packets come in bursts with pauses between them, it does without for a while.
public struct WakeupPacer: Hashable, Sendable, BitwiseCopyable {
    /// Packets that are worth waiting for.
    public let packetsPerPass: UInt64
    /// The longest wait, in nanoseconds: what a packet is late at most.
    public let longestWait: UInt64

    /// Passes without a wait behind one that brought nothing, at most.
    private static let longestPause: UInt8 = 64

    /// Mean nanoseconds between packets, in sixteenths; at first as if none came.
    private var gap: UInt64
    private var lastPass = Instant(nanoseconds: 0)
    /// When the loop was to look again after its last wait; nil if it did not wait.
    private var planned: Instant?
    /// Passes that the next vain wait will be paid with, and those that are left of the last one's.
    private var penalty: UInt8 = 1
    private var pause: UInt8 = 0

    /// A pacer of a loop that has not seen a packet yet.
    public init(packetsPerPass: UInt64, longestWait: UInt64) {
        self.packetsPerPass = packetsPerPass
        self.longestWait = longestWait
        gap = longestWait &* 16
    }

    /// Takes notice of a pass that began at `now` and found `packets`. Answers when to look next; nil if at once, which is
    /// to say as soon as something is there.
    public mutating func nextLook(after packets: Int, passAt now: Instant) -> Instant? {
        note(packets, now)
        judge(now)
        planned = nil
        guard pause == 0 else {
            pause &-= 1
            return nil
        }
        let mean = gap / 16
        guard mean &* 2 <= longestWait else { return nil }
        planned = Instant(nanoseconds: now.nanoseconds &+ min(mean &* packetsPerPass, longestWait))
        return planned
    }

    private mutating func note(_ packets: Int, _ now: Instant) {
        // A pause longer than this says no more than that there was one; it also keeps the sums small.
        let elapsed = min(now.nanoseconds &- min(lastPass.nanoseconds, now.nanoseconds), 16 &* longestWait)
        lastPass = now
        let sample = elapsed / UInt64(max(packets, 1))
        gap = gap &- gap / 16 &+ sample
    }

    /// Whether the last wait brought something: the pass behind it began when it was to, not when the next packet came.
    private mutating func judge(_ now: Instant) {
        guard let planned else { return }
        if now.nanoseconds > planned.nanoseconds &+ longestWait / 2 {
            penalty = min(penalty &* 2, Self.longestPause)
            pause = penalty
        } else {
            penalty = max(penalty / 2, 1)
        }
    }
}

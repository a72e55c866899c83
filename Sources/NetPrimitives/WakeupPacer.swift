/// How long a packet loop lets packets gather before it looks for them: not at all while they come singly, and a little
/// under load, when being woken for each costs more than relaying it.
///
/// It follows the mean gap between packets and the mean time that a packet takes. While at least two would come within
/// `longestWait`, it waits for some of them, at most `longestWait`, counted from the beginning of the pass before: for
/// `fewest` while less than half of the time is needed, for more the less of it is left, up to `most` at seven eighths.
/// Packets that come joined are one here: they are received at once, and have one wake-up already.
/// Where a wait brought nothing, since packets come in bursts with pauses between them, it does without for a while.
public struct WakeupPacer: Hashable, Sendable, BitwiseCopyable {
    /// Packets that are worth waiting for while there is time enough.
    public let fewest: UInt64
    /// Packets that are waited for when hardly any time is left.
    public let most: UInt64
    /// The longest wait, in nanoseconds: what a packet is late at most.
    public let longestWait: UInt64

    /// Passes without a wait behind one that brought nothing, at most.
    private static let longestPause: UInt8 = 64

    /// Mean nanoseconds between packets, in sixteenths; at first as if none came.
    private var gap: UInt64
    /// Mean nanoseconds of a pass per packet, in sixteenths.
    private var work: UInt64 = 0
    private var lastPass = Instant(nanoseconds: 0)
    /// When the loop was to look again after its last wait; nil if it did not wait.
    private var planned: Instant?
    /// Passes that the next vain wait will be paid with, and those that are left of the last one's.
    private var penalty: UInt8 = 1
    private var pause: UInt8 = 0

    /// A pacer of a loop that has not seen a packet yet.
    public init(fewest: UInt64, most: UInt64, longestWait: UInt64) {
        precondition(fewest > 0 && fewest <= most && most < 1 << 16, "a pass is for one packet or more")
        self.fewest = fewest
        self.most = most
        self.longestWait = longestWait
        gap = longestWait &* 16
    }

    /// Takes notice of a pass that began at `now`, ended at `end` and found `packets`. Answers when to look next; nil if at
    /// once, which is to say as soon as something is there.
    public mutating func nextLook(after packets: UInt64, passFrom now: Instant, to end: Instant) -> Instant? {
        note(packets, now, end)
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

    /// From `fewest` to `most` as the work grows from half of the time to seven eighths.
    private var packetsPerPass: UInt64 {
        let beyondHalf = 8 &* work &- min(8 &* work, 4 &* gap)
        let range = max(3 &* gap, 1)
        return fewest &+ (most &- fewest) &* min(beyondHalf, range) / range
    }

    private mutating func note(_ packets: UInt64, _ now: Instant, _ end: Instant) {
        // A pause longer than this says no more than that there was one; it also keeps the sums small.
        let longest = 16 &* longestWait
        let count = max(packets, 1)
        gap = gap &- gap / 16 &+ min(now.nanoseconds &- min(lastPass, now).nanoseconds, longest) / count
        work = work &- work / 16 &+ min(end.nanoseconds &- min(now, end).nanoseconds, longest) / count
        lastPass = now
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

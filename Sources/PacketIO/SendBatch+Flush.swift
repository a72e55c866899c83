import CPacketIO
import Glibc

extension SendBatch {
    /// Datagrams in one message at most, and its bytes: what UDP can carry in one piece, so that every kernel takes it.
    private static let runLimit = Int(packet_segment_limit)
    private static let runByteLimit = 65_000

    /// Sends all that waits and empties the batch. What the kernel does not take is counted and gone.
    public mutating func flush() -> SendReport {
        var report = SendReport()
        for group in 0..<groupCount {
            // SAFETY: the first `groupCount` groups were written since the last flush.
            let chain = unsafe groups[group]
            guard !chain.hasWhole else {
                sendRuns(from: Int(chain.first), by: chain.descriptor, into: &report)
                continue
            }
            if chain.first == chain.last, sendAlone(Int(chain.first), by: chain.descriptor, into: &report) { continue }
            var next = Int(chain.first)
            while next >= 0 {
                var gathered = 0
                while next >= 0, gathered < SendBatch.callLimit {
                    next = gatherRun(next, as: gathered)
                    gathered &+= 1
                }
                send(count: gathered, by: chain.descriptor, into: &report)
            }
        }
        count = 0
        groupCount = 0
        arenaUsed = 0
        joinedCount = 0
        return report
    }

    /// Sends the one datagram of a socket, which is the rule upwards, in the cheapest call there is; answers whether it is in
    /// one piece, as that call needs it.
    @inline(__always)
    private mutating func sendAlone(_ index: Int, by descriptor: Int32, into report: inout SendReport) -> Bool {
        // SAFETY: an entry written since the last flush, with its first piece and its address.
        guard unsafe entries[index].vectorCount == 1 else { return false }
        let piece = unsafe vectors[index * SendBatch.piecesPerEntry]
        let name = unsafe names + index
        var result: packet_result
        repeat {
            result = unsafe packet_send_to(descriptor, piece.iov_base, piece.iov_len, name, entries[index].nameLength)
            report.calls &+= 1
        } while result.error == EINTR
        if result.error == 0 { report.sent &+= 1 } else { report.count(result.error) }
        return true
    }

    /// Makes the entry at `index`, and those behind it that the kernel can cut out of one message with it, the `place`th
    /// message of the next call; answers the entry behind them, or -1.
    @inline(__always)
    private mutating func gatherRun(_ index: Int, as place: Int) -> Int {
        // SAFETY: chains hold indices of entries written since the last flush.
        let first = unsafe entries[index]
        var next = Int(first.next)
        guard next >= 0, first.byteCount > 0, isAlike(next, index) else { return gather(index, as: place) }
        var runCount = 1
        var byteCount = Int(first.byteCount)
        let joinedStart = joinedCount
        join(index)
        while next >= 0, runCount < SendBatch.runLimit, isAlike(next, index) {
            // SAFETY: as above.
            let entry = unsafe entries[next]
            guard byteCount &+ Int(entry.byteCount) <= SendBatch.runByteLimit else { break }
            join(next)
            byteCount &+= Int(entry.byteCount)
            runCount &+= 1
            next = Int(entry.next)
            // Only the last datagram of a message may be shorter than the others.
            if entry.byteCount < first.byteCount { break }
        }
        // SAFETY: as in `gather`; every entry is joined once a flush at most, so `joined` has room for its pieces.
        unsafe packet_message_gather(
            messages + place,
            joined + joinedStart,
            joinedCount &- joinedStart,
            names + index,
            first.nameLength
        )
        if runCount > 1 {
            unsafe packet_message_cut(messages + place, controls + place, UInt16(truncatingIfNeeded: first.byteCount))
        }
        unsafe runs[place] = Run(first: Int32(index), count: Int32(runCount))
        return next
    }

    /// Whether an entry can follow another in one message: to the same place, and not longer.
    @inline(__always)
    private mutating func isAlike(_ index: Int, _ other: Int) -> Bool {
        // SAFETY: both are indices of entries written since the last flush.
        let entry = unsafe entries[index]
        let first = unsafe entries[other]
        guard entry.byteCount <= first.byteCount, entry.byteCount > 0, entry.nameLength == first.nameLength else {
            return false
        }
        return unsafe packet_sockaddr_equal(names + index, names + other, entry.nameLength) != 0
    }

    /// Appends the pieces of an entry to those of the message that is being made.
    @inline(__always)
    private mutating func join(_ index: Int) {
        // SAFETY: an entry has at most `piecesPerEntry` pieces, and `joined` as many places for each entry.
        let pieceCount = unsafe Int(entries[index].vectorCount)
        for piece in 0..<pieceCount {
            unsafe joined[joinedCount] = unsafe vectors[index * SendBatch.piecesPerEntry + piece]
            joinedCount &+= 1
        }
    }

    /// Makes the entry at `index` alone the `place`th message of the next call; answers the entry behind it, or -1.
    @inline(__always)
    mutating func gather(_ index: Int, as place: Int) -> Int {
        // SAFETY: chains hold indices of entries written since the last flush, `place` is below the number of messages,
        // and entries do not move.
        let entry = unsafe entries[index]
        unsafe packet_message_gather(
            messages + place,
            vectors + index * SendBatch.piecesPerEntry,
            Int(entry.vectorCount),
            names + index,
            entry.nameLength
        )
        unsafe runs[place] = Run(first: Int32(index), count: 1)
        return Int(entry.next)
    }

    /// Sends a chain in which some entries are whole: run by run, the socket's option turned for each run of those and
    /// back behind it, so that the order stays.
    private mutating func sendRuns(from first: Int, by descriptor: Int32, into report: inout SendReport) {
        var next = first
        while next >= 0 {
            // SAFETY: as in `gather`.
            let isWhole = unsafe entries[next].isWhole
            var gathered = 0
            while next >= 0, gathered < SendBatch.callLimit, unsafe entries[next].isWhole == isWhole {
                next = gather(next, as: gathered)
                gathered &+= 1
            }
            guard isWhole else {
                send(count: gathered, by: descriptor, into: &report)
                continue
            }
            // A socket that cannot be told to set DF sends nothing that asked for it.
            guard packet_set_whole(descriptor).error == 0 else {
                report.tooLarge &+= UInt64(gathered)
                continue
            }
            send(count: gathered, by: descriptor, into: &report)
            // What was settable a moment ago is settable now; nothing could be done about it otherwise.
            _ = packet_set_fragmenting(descriptor, 4)
        }
    }
}

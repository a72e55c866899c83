import CPacketIO
import Glibc

extension SendBatch {
    /// Hands the first `count` messages to the kernel, stepping over those that it refuses.
    ///
    /// sendmmsg stops at the first message that fails and reports the failure only if it is the first of the call; so the
    /// call after a short one tells what was wrong with the message that stopped it.
    mutating func send(count: Int, by descriptor: Int32, into report: inout SendReport) {
        var done = 0
        while done < count {
            // SAFETY: `done` is below `count`, which is how many messages the caller has prepared.
            let result = unsafe packet_send(descriptor, messages + done, UInt32(count - done))
            report.calls &+= 1
            if result.error == 0 {
                // A kernel that takes nothing without saying why would keep this loop for ever.
                guard result.value > 0 else { break }
                report.sent &+= datagrams(done..<done &+ Int(result.value))
                done &+= Int(result.value)
                continue
            }
            switch result.error {
            case EINTR:
                continue
            case EAGAIN:
                // The socket is full; the datagrams behind this one would only ask again.
                report.blocked &+= datagrams(done..<count)
                done = count
            default:
                // SAFETY: below `count`.
                let run = unsafe runs[done]
                if run.count > 1 {
                    sendSingly(run, by: descriptor, into: &report)
                } else {
                    report.count(result.error)
                }
                done &+= 1
            }
        }
    }

    /// How many datagrams some messages are.
    private mutating func datagrams(_ places: Range<Int>) -> UInt64 {
        var sum: UInt64 = 0
        // SAFETY: places of messages that the caller has prepared.
        for place in places { sum &+= UInt64(unsafe runs[place].count) }
        return sum
    }

    /// Sends the datagrams of a message that the kernel would not cut: too large for the path in one piece each, or no
    /// offload on the way. Each by itself may well go.
    @inline(never)
    private mutating func sendSingly(_ run: Run, by descriptor: Int32, into report: inout SendReport) {
        var index = Int(run.first)
        for _ in 0..<run.count {
            // SAFETY: the entries of a run are linked, and were written since the last flush. The message is one of its own,
            // since those behind the run still wait in theirs.
            let entry = unsafe entries[index]
            var message = unsafe packet_message()
            unsafe packet_message_gather(
                &message,
                vectors + index * SendBatch.piecesPerEntry,
                Int(entry.vectorCount),
                names + index,
                entry.nameLength
            )
            var result = unsafe packet_send(descriptor, &message, 1)
            while result.error == EINTR { result = unsafe packet_send(descriptor, &message, 1) }
            report.calls &+= 1
            if result.error == 0 { report.sent &+= 1 } else { report.count(result.error) }
            index = Int(entry.next)
        }
    }
}

extension SendReport {
    /// Counts one datagram that failed with `error`.
    mutating func count(_ error: Int32) {
        switch error {
        case EAGAIN, ENOBUFS: blocked &+= 1
        case EMSGSIZE: tooLarge &+= 1
        default: refused &+= 1
        }
    }
}

import CPacketIO
import Glibc

extension SendBatch {
    /// Hands messages to the kernel, stepping over those that it refuses.
    ///
    /// sendmmsg stops at the first datagram that fails and reports the failure only if it is the first of the call; so
    /// the call after a short one tells what was wrong with the datagram that stopped it.
    static func send(
        _ messages: UnsafeMutablePointer<packet_message>,
        count: Int,
        by descriptor: Int32,
        into report: inout SendReport
    ) {
        var done = 0
        while done < count {
            // SAFETY: `done` is below `count`, which is how many messages the caller has prepared.
            let result = unsafe packet_send(descriptor, messages + done, UInt32(count - done))
            report.calls &+= 1
            if result.error == 0 {
                report.sent &+= UInt64(result.value)
                done &+= Int(result.value)
                // A kernel that takes nothing without saying why would keep this loop for ever.
                guard result.value > 0 else { break }
                continue
            }
            switch result.error {
            case EINTR:
                continue
            case EAGAIN:
                // The socket is full; the datagrams behind this one would only ask again.
                report.blocked &+= UInt64(count - done)
                done = count
            case ENOBUFS:
                report.blocked &+= 1
                done &+= 1
            case EMSGSIZE:
                report.tooLarge &+= 1
                done &+= 1
            default:
                report.refused &+= 1
                done &+= 1
            }
        }
    }
}

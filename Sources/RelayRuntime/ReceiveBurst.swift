/// How many datagrams a relay socket is asked for at a time: one, which is the rule for voice, and more as long as it turns
/// out to have more.
///
/// A socket that had as many as it was asked for may be empty all the same. Only one that is ready again in the very next
/// pass is asked for two: asking costs a fruitless look where there is no second. From then on the kernel is to join its
/// datagrams, too, which a socket that has them one by one would pay for without any use.
struct ReceiveBurst: BitwiseCopyable {
    /// Datagrams to ask for.
    private(set) var size: UInt8 = 1
    /// Whether the socket has ever been asked for more than one.
    private(set) var isJoining = false
    /// The pass in which the socket was read last, by its last bits: four bytes in all, of which the socket table has many.
    private var lastPass: UInt16 = 0

    /// Takes notice of a read in `pass`, and whether it brought all that was asked for; answers whether the socket is to
    /// join its datagrams from now on.
    mutating func note(isFilled: Bool, pass: UInt16, limit: UInt8) -> Bool {
        if isFilled {
            if size > 1 || pass == lastPass &+ 1 { size = min(size &* 2, limit) }
        } else if size > 1 {
            size /= 2
        }
        lastPass = pass
        guard size > 1, !isJoining else { return false }
        isJoining = true
        return true
    }
}

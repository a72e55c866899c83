import CHiredis
import Glibc

/// A bell that any thread rings and one hears while it waits for sockets.
final class Bell: Sendable {
    let descriptor: Int32

    init() throws(RedisFailure) {
        descriptor = chiredis_bell()
        guard descriptor >= 0 else { throw .away(reason: "out of descriptors") }
    }

    deinit { close(descriptor) }

    /// The one failure left is a full counter, and then it is ringing already.
    func ring() { chiredis_bell_ring(descriptor) }

    func silence() { chiredis_bell_silence(descriptor) }
}

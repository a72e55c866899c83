import CPacketIO

/// A bell that one thread rings and another hears through its poller.
public struct Wakeup: ~Copyable, Sendable {
    /// To be watched by the poller of the thread that listens.
    public let descriptor: OwnedDescriptor

    /// A silent bell.
    public init() throws(SystemError) {
        descriptor = OwnedDescriptor(adopting: try packet_wakeup_create().get(.eventfd))
    }

    /// Rings. Any thread may; ringing twice before it is heard is ringing once.
    public func signal() {
        // The one failure left is a full counter, and then the bell is ringing already.
        _ = packet_wakeup_signal(descriptor.rawValue)
    }

    /// Silences it; to be done before looking at what the bell announces.
    public func clear() {
        _ = packet_wakeup_clear(descriptor.rawValue)
    }
}

import CPacketIO

/// Threads of one's own, outside Swift's cooperative pool, which must never be blocked by a poller.
public enum PinnedThread {
    /// Processors that this process may run on: the affinity mask, not the machine.
    public static var allowedProcessorCount: Int { Int(packet_allowed_cpu_count()) }

    /// Raises the process's soft limit of open descriptors to its hard limit and answers the limit then in force.
    @discardableResult
    public static func raiseDescriptorLimit() -> Int { Int(clamping: packet_raise_descriptor_limit()) }

    private final class Start: Sendable {
        let name: String
        let processor: UInt32?
        let body: @Sendable () -> Void

        init(name: String, processor: UInt32?, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.processor = processor
            self.body = body
        }
    }

    /// Runs `body` on a new detached thread that takes no signals.
    ///
    /// - Parameters:
    ///   - name: as tools show it; the kernel keeps its first 15 bytes.
    ///   - processor: pins the thread to this one of the allowed processors, counted round; nil leaves it free. A mask
    ///     that cannot be set leaves it free too: it is a wish for speed, not a condition.
    public static func start(
        name: String,
        processor: UInt32?,
        body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        // SAFETY: the reference taken here goes to the new thread, which takes it over exactly once.
        let start = unsafe Unmanaged.passRetained(Start(name: name, processor: processor, body: body))
        let result = unsafe packet_start_thread(
            { context in
                guard let context = unsafe context else { return nil }
                // SAFETY: the context is the reference that `start` passed, and no other thread sees it.
                let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                unsafe start.name.withCString { unsafe packet_name_thread($0) }
                packet_sharpen_timers()
                if let processor = start.processor { _ = packet_pin_thread(processor) }
                start.body()
                return nil
            },
            unsafe start.toOpaque()
        )
        guard result.error == 0 else {
            // SAFETY: no thread was started, so the reference is still ours.
            unsafe start.release()
            throw SystemError(.threadCreate, code: result.error)
        }
    }
}

import CPacketIO
import Glibc
public import NetPrimitives

// SAFETY: @safe because the memory below is its own, freed with it, and reached only through checked indices.
/// Which of many sockets have something to read: a level-triggered epoll instance and room for its answers.
///
/// Level-triggered: a socket read only in part is reported again, and nobody has to read until nothing is left.
@safe
public struct Poller: ~Copyable {
    private let descriptor: OwnedDescriptor
    private let events: UnsafeMutablePointer<epoll_event>
    private let capacity: Int32

    /// A poller that reports at most `capacity` sockets a call.
    public init(capacity: Int) throws(SystemError) {
        precondition(capacity > 0 && capacity <= 65536)
        descriptor = OwnedDescriptor(adopting: try packet_poller_create().get(.epollCreate))
        self.capacity = Int32(capacity)
        // SAFETY: initialised in full here, freed in deinit, and handed to nobody but the kernel during a call.
        unsafe events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        // SAFETY: the memory just allocated has room for `capacity` of them.
        unsafe events.initialize(repeating: epoll_event(), count: capacity)
    }

    deinit {
        // SAFETY: allocated in init and used by nobody after this.
        unsafe events.deallocate()
    }

    /// Watches a descriptor and reports it as `identifier` until it is closed.
    public func add(_ descriptor: Int32, as identifier: SocketID) throws(SystemError) {
        try packet_poller_add(self.descriptor.rawValue, descriptor, identifier.rawValue).check(.epollControl)
    }

    /// Blocks until something is readable or `timeoutMilliseconds` have passed (0: not at all, -1: for ever).
    ///
    /// - Returns: how many identifiers can be read by `ready(at:)` until the next call; 0 if a signal came.
    public mutating func wait(timeoutMilliseconds: Int32) throws(SystemError) -> Int {
        // SAFETY: the kernel writes at most `capacity` entries, which is what was allocated.
        let result = unsafe packet_poller_wait(descriptor.rawValue, events, capacity, timeoutMilliseconds)
        if result.error == EINTR { return 0 }
        return Int(try result.get(.epollWait))
    }

    /// The `index`th of the sockets that the last `wait` reported.
    public func ready(at index: Int) -> SocketID {
        precondition(index >= 0 && index < Int(capacity))
        // SAFETY: within the allocation, all of which was initialised; a stale entry is still a number.
        return unsafe SocketID(rawValue: events[index].data.u64)
    }
}

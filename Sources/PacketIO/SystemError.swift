import CPacketIO
import Glibc

/// A system call that failed: which, and the error number it left.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was being done, in the system's own words.
    public enum Operation: String, Sendable {
        case socket, bind, getsockname, setsockopt
        case epollCreate = "epoll_create1"
        case epollControl = "epoll_ctl"
        case epollWait = "epoll_wait"
        case eventfd
        case threadCreate = "pthread_create"
        case interfaces = "getifaddrs"
    }

    /// The call that failed.
    public let operation: Operation
    /// Its `errno`.
    public let code: Int32

    /// Names the call and its error number.
    public init(_ operation: Operation, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// As in "bind: Address already in use (98)".
    public var description: String {
        // SAFETY: strerror never returns null, and its text is copied before anything else can call it again.
        let text = unsafe String(cString: strerror(code))
        return "\(operation.rawValue): \(text) (\(code))"
    }

    /// The address or port is taken.
    public var isAddressInUse: Bool { code == EADDRINUSE }

    /// The caller may not do this.
    public var isForbidden: Bool { code == EACCES || code == EPERM }

    /// The address is not one of this machine's, or its family is missing here.
    public var isAddressUnavailable: Bool { code == EADDRNOTAVAIL || code == EAFNOSUPPORT }
}

extension packet_result {
    /// The value, or the error as a thrown one.
    func get(_ operation: SystemError.Operation) throws(SystemError) -> Int32 {
        guard error == 0 else { throw SystemError(operation, code: error) }
        return value
    }

    /// As `get`, for calls whose value says nothing.
    func check(_ operation: SystemError.Operation) throws(SystemError) {
        _ = try get(operation)
    }
}

import Glibc
import PacketIO
import Testing

/// A TCP connection over loopback whose far end nobody reads, and whose near end never waits.
struct UnreadStream: ~Copyable {
    let writer: OwnedDescriptor
    private let reader: OwnedDescriptor

    init() throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = OwnedDescriptor(adopting: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        let near = OwnedDescriptor(adopting: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        let (from, to) = (near.rawValue, listener.rawValue)
        // SAFETY: `address` is a sockaddr_in of the length given and lives through every call.
        let accepted = unsafe withUnsafeMutableBytes(of: &address) { bytes -> Int32 in
            let name = unsafe bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            guard unsafe bind(to, name, length) == 0, listen(to, 1) == 0,
                unsafe getsockname(to, name, &length) == 0, unsafe connect(from, name, length) == 0
            else { return -1 }
            return accept(to, nil, nil)
        }
        try #require(accepted >= 0)
        try #require(fcntl(from, F_SETFL, O_NONBLOCK) == 0)
        writer = near
        reader = OwnedDescriptor(adopting: accepted)
    }
}

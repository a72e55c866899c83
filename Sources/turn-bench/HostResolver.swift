import Glibc
import NetPrimitives

/// Names to addresses, by the system's resolver.
enum HostResolver {
    /// The first address of a name, IPv4 before IPv6; nil if it has none.
    static func address(of host: String) -> IPAddress? {
        for family in [AF_INET, AF_INET6] {
            var hints = unsafe addrinfo()
            unsafe hints.ai_family = family
            unsafe hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
            var found: UnsafeMutablePointer<addrinfo>?
            guard unsafe getaddrinfo(host, nil, &hints, &found) == 0, let entry = unsafe found else { continue }
            defer { unsafe freeaddrinfo(entry) }
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            // SAFETY: the entry lives until the defer above, and the text has as many bytes as it says.
            let result = unsafe getnameinfo(
                entry.pointee.ai_addr,
                entry.pointee.ai_addrlen,
                &text,
                socklen_t(text.count),
                nil,
                0,
                NI_NUMERICHOST
            )
            guard result == 0 else { continue }
            let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            if let address = try? IPAddress(parsing: String(decoding: bytes, as: UTF8.self)) { return address }
        }
        return nil
    }
}

import CPostgres
import Glibc

/// Where a database server listens.
public struct PostgresServer: Hashable, Sendable {
    /// Its address as text, of IPv4 or IPv6.
    public let address: String
    /// Its port.
    public let port: UInt16
}

extension PostgresConnection {
    /// The addresses of all servers that the settings name, whichever of them this is a connection to. Waits for names to be
    /// resolved; a name that cannot be stands for none. Sockets in folders are none either.
    public func servers() -> [PostgresServer] {
        guard let options = unsafe PQconninfo(handle) else { return [] }
        defer { unsafe PQconninfoFree(options) }
        let values = unsafe PostgresURL.values(options)
        let names = Self.list(values["hostaddr"] ?? values["host"])
        let ports = Self.list(values["port"])
        return names.enumerated().flatMap { index, name in
            // One port may stand for all hosts.
            let port = ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : ""
            return Self.addresses(of: name).map { PostgresServer(address: $0, port: UInt16(port) ?? 5432) }
        }
    }

    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    private static func addresses(of name: String) -> [String] {
        guard !name.isEmpty, !name.hasPrefix("/"), !name.hasPrefix("@") else { return [] }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(name, nil, &hints, &found) == 0 else { return [] }
        defer { unsafe freeaddrinfo(found) }
        var addresses: [String] = []
        var next = unsafe found
        while let entry = unsafe next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let length = socklen_t(text.count)
            let info = unsafe entry.pointee
            if unsafe getnameinfo(info.ai_addr, info.ai_addrlen, &text, length, nil, 0, NI_NUMERICHOST) == 0 {
                addresses.append(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            unsafe next = info.ai_next
        }
        return addresses
    }
}

import NetPrimitives

/// Reads merged settings as values, and says which setting is wrong if one is.
struct SettingReader {
    let settings: [ConfigurationKey: Setting]

    /// What was said about `key`, else its default; nil where neither says anything.
    ///
    /// An empty text means "none" and comes out as one, so that it can replace a default.
    func setting(_ key: ConfigurationKey) -> Setting? {
        if let given = settings[key] { return given }
        guard case .value(let text) = key.description.default else { return nil }
        return Setting(name: key.rawValue, value: text, origin: .default)
    }

    /// Whether somebody said something other than the default.
    func isChanged(_ key: ConfigurationKey) -> Bool {
        guard let given = settings[key] else { return false }
        if case .value(let text) = key.description.default { return given.value != text }
        return !given.value.isEmpty
    }

    /// The failure of `key`, named by its source.
    func failure(_ key: ConfigurationKey, _ problem: String) -> ConfigurationFailure {
        setting(key)?.failure(problem) ?? ConfigurationFailure(key.rawValue, problem)
    }

    /// The text of `key`, nil if absent or empty.
    func text(_ key: ConfigurationKey) -> String? {
        guard let value = setting(key)?.value, !value.isEmpty else { return nil }
        return value
    }

    /// Reads the text of `key` by `parse`; nil if absent or empty, a failure if `parse` cannot read it.
    func value<Value>(
        _ key: ConfigurationKey,
        _ expected: String,
        _ parse: (String) -> Value?
    ) throws(ConfigurationFailure) -> Value? {
        guard let text = text(key) else { return nil }
        guard let value = parse(text) else {
            throw failure(key, key.isSecret ? "the value is not \(expected)" : "\"\(text)\" is not \(expected)")
        }
        return value
    }

    /// The same for a setting that cannot be "none".
    func required<Value>(
        _ key: ConfigurationKey,
        _ expected: String,
        _ parse: (String) -> Value?
    ) throws(ConfigurationFailure) -> Value {
        guard let value = try value(key, expected, parse) else {
            throw failure(key, "may not be empty; expected \(expected)")
        }
        return value
    }

    /// Reads the comma-separated elements of `key`; empty if the setting is absent or empty.
    func list<Element>(
        _ key: ConfigurationKey,
        _ expected: String,
        _ parse: (String) -> Element?
    ) throws(ConfigurationFailure) -> [Element] {
        guard let text = text(key) else { return [] }
        var elements: [Element] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let trimmed = String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            guard let element = parse(trimmed) else {
                throw failure(
                    key,
                    key.isSecret ? "an element is not \(expected)" : "\"\(trimmed)\" is not \(expected)"
                )
            }
            elements.append(element)
        }
        return elements
    }

    func boolean(_ key: ConfigurationKey) throws(ConfigurationFailure) -> Bool {
        try required(key, "true or false") { text in
            switch text.lowercased() {
            case "true", "yes", "on", "1": true
            case "false", "no", "off", "0": false
            default: nil
            }
        }
    }

    func number(_ key: ConfigurationKey, in range: ClosedRange<Int>) throws(ConfigurationFailure) -> Int {
        try required(key, "a number between \(range.lowerBound) and \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A port; Kubernetes' service links (`TURN_PORT=tcp://10.0.0.1:3478`) get a hint of their own.
    func port(_ key: ConfigurationKey, from lowest: UInt16 = 1) throws(ConfigurationFailure) -> UInt16 {
        if let text = text(key), text.hasPrefix("tcp://") || text.hasPrefix("udp://") {
            throw failure(
                key,
                "\"\(text)\" is not a port; Kubernetes sets this for a service of that name: "
                    + "rename the service or set enableServiceLinks: false"
            )
        }
        return try required(key, "a port between \(lowest) and 65535") { text in
            UInt16(text).flatMap { $0 >= lowest ? $0 : nil }
        }
    }

    func duration(
        _ key: ConfigurationKey,
        in range: ClosedRange<Duration>
    ) throws(ConfigurationFailure) -> Duration {
        let duration = try required(key, "a duration with its unit, such as 60s, 10m, 24h or 90d", Quantities.duration)
        guard range.contains(duration) else {
            throw failure(key, "must lie between \(range.lowerBound) and \(range.upperBound)")
        }
        return duration
    }

    func byteCount(_ key: ConfigurationKey, in range: ClosedRange<Int>) throws(ConfigurationFailure) -> Int {
        let count = try required(key, "a size in bytes, such as 1000000 or 256KiB", Quantities.byteCount)
        guard range.contains(count) else {
            throw failure(key, "must lie between \(range.lowerBound) and \(range.upperBound) bytes")
        }
        return count
    }

    func addresses(_ key: ConfigurationKey) throws(ConfigurationFailure) -> [IPAddress] {
        try list(key, "an IP address") { IPAddress($0) }
    }

    func prefixes(_ key: ConfigurationKey) throws(ConfigurationFailure) -> [IPPrefix] {
        try list(key, "a CIDR such as 10.0.0.0/8") { IPPrefix($0) }
    }

    /// Blocks of peers. IPv4 peers have IPv4 addresses and no others, so that an IPv4-mapped block would mean nothing.
    func peerPrefixes(_ key: ConfigurationKey) throws(ConfigurationFailure) -> [IPPrefix] {
        let prefixes = try prefixes(key)
        for prefix in prefixes {
            guard let unmapped = prefix.unmapped else { continue }
            throw failure(key, "\(prefix) names no peer: write it as IPv4, \(unmapped)")
        }
        return prefixes
    }

    /// At most one address of each family, each that of a single host.
    func addressPerFamily(_ key: ConfigurationKey) throws(ConfigurationFailure) -> [IPAddress] {
        let addresses = try addresses(key)
        for address in addresses { try requireHost(address, in: key) }
        for family in [IPAddress.Family.ipv4, .ipv6] where addresses.count(where: { $0.family == family }) > 1 {
            throw failure(key, "may name at most one address of a family")
        }
        return addresses
    }

    /// Refuses an address that is not a single host's.
    func requireHost(_ address: IPAddress, in key: ConfigurationKey) throws(ConfigurationFailure) {
        guard let problem = address.problemAsHost else { return }
        throw failure(key, "\(address) cannot be the address of a host: \(problem)")
    }
}

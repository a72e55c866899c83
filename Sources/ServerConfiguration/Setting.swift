/// A setting's text and where it was found.
public struct Setting: Hashable, Sendable {
    /// Where a text was found, from the strongest to the weakest.
    public enum Origin: Hashable, Sendable, CustomStringConvertible {
        case flag
        case environment
        case file(path: String, line: Int)
        case `default`

        /// The words that messages use.
        public var description: String {
            switch self {
            case .flag: "flag"
            case .environment: "environment"
            case .file(let path, let line): "\(path), line \(line)"
            case .default: "default"
            }
        }
    }

    /// The name as it was given: a key or a key with `_FILE`.
    public let name: String
    /// The text, unread.
    public let value: String
    /// Where it was found.
    public let origin: Origin

    /// A text found at `origin` under `name`.
    public init(name: String, value: String, origin: Origin) {
        self.name = name
        self.value = value
        self.origin = origin
    }

    func failure(_ problem: String) -> ConfigurationFailure {
        ConfigurationFailure("\(name) (\(origin))", problem)
    }
}

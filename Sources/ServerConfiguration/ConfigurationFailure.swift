/// Why a configuration is refused: one line that names the setting.
public struct ConfigurationFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The setting at fault, with where it came from: `HTTP_PORT (environment)`.
    public let setting: String
    /// What is wrong with it, and what would be right.
    public let problem: String

    /// `SETTING: problem`, in one line.
    public var description: String { "\(setting): \(problem)" }

    /// A complaint about a setting by name.
    public init(_ setting: String, _ problem: String) {
        self.setting = setting
        self.problem = problem
    }
}

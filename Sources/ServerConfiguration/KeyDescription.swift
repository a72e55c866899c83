/// What the manual and `.env.example` say of a setting.
public struct KeyDescription: Sendable {
    /// What holds when nothing is said.
    public enum Default: Sendable, Equatable {
        /// The setting is absent.
        case none
        /// This text, read like any other value.
        case value(String)
        /// Depends on other settings or on the machine: in words, with a value that shows the form.
        case derived(String, example: String)
    }

    /// The heading it stands under.
    public let section: String
    /// What holds when nothing is said.
    public let `default`: Default
    /// One or two sentences.
    public let meaning: String

    init(_ section: String, _ default: Default, _ meaning: String) {
        self.section = section
        self.default = `default`
        self.meaning = meaning
    }
}

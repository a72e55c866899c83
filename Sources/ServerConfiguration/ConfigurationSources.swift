/// Everything that was said about the configuration, before anything of it is read as a value.
public struct ConfigurationSources: Sendable {
    /// Settings from the command line; of several for one key the last counts.
    public var flags: [Setting]
    /// The process's environment; names that are no setting are ignored.
    public var environment: [String: String]
    /// Settings of `.env` in the working directory.
    public var dotEnv: [Setting]
    /// Settings of the `--config` file.
    public var file: [Setting]

    /// The four sources, strongest first.
    public init(
        flags: [Setting] = [],
        environment: [String: String] = [:],
        dotEnv: [Setting] = [],
        file: [Setting] = []
    ) {
        self.flags = flags
        self.environment = environment
        self.dotEnv = dotEnv
        self.file = file
    }

    /// For each key the strongest source's text; keys that nothing was said about are absent.
    ///
    /// `readSecret` is given the path behind a `NAME_FILE` and answers with the file's text, or nil if it cannot be
    /// read. Line ends at the end of that text are dropped.
    public func merged(
        readSecret: (_ path: String) -> String?
    ) throws(ConfigurationFailure) -> [ConfigurationKey: Setting] {
        try refuseUnknownNames(in: dotEnv)
        try refuseUnknownNames(in: file)
        try refuseRepetitions(in: dotEnv)
        try refuseRepetitions(in: file)
        let layers = [
            lastByName(flags), environmentSettings, lastByName(dotEnv), lastByName(file),
        ]
        var merged: [ConfigurationKey: Setting] = [:]
        for key in ConfigurationKey.allCases {
            for layer in layers {
                guard let setting = try Self.setting(of: key, in: layer, readSecret: readSecret) else { continue }
                merged[key] = setting
                break
            }
        }
        return merged
    }

    private static func setting(
        of key: ConfigurationKey,
        in layer: [String: Setting],
        readSecret: (String) -> String?
    ) throws(ConfigurationFailure) -> Setting? {
        let direct = layer[key.rawValue]
        guard let fileName = key.fileName, let pointer = layer[fileName], !pointer.value.isEmpty else { return direct }
        guard direct == nil else { throw pointer.failure("\(key.rawValue) is set in the same place; keep one of them") }
        guard let text = readSecret(pointer.value) else {
            throw pointer.failure("cannot read \"\(pointer.value)\"")
        }
        let lastKept = text.lastIndex { !$0.isNewline }
        let value = lastKept.map { String(text[...$0]) } ?? ""
        return Setting(name: fileName, value: value, origin: pointer.origin)
    }

    private var environmentSettings: [String: Setting] {
        environment.reduce(into: [:]) { settings, variable in
            settings[variable.key] = Setting(name: variable.key, value: variable.value, origin: .environment)
        }
    }

    private func lastByName(_ settings: [Setting]) -> [String: Setting] {
        settings.reduce(into: [:]) { $0[$1.name] = $1 }
    }

    private func refuseUnknownNames(in settings: [Setting]) throws(ConfigurationFailure) {
        for setting in settings where !Self.knownNames.contains(setting.name) {
            throw setting.failure("unknown setting; .env.example lists all")
        }
    }

    private func refuseRepetitions(in settings: [Setting]) throws(ConfigurationFailure) {
        var seen: Set<String> = []
        for setting in settings where !seen.insert(setting.name).inserted {
            throw setting.failure("set twice in this file")
        }
    }

    private static let knownNames: Set<String> = Set(
        ConfigurationKey.allCases.flatMap { [$0.rawValue, $0.fileName].compactMap(\.self) }
    )
}

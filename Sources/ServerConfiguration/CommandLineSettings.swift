/// Reads settings from the command line: `--http-port 3001` or `--http-port=3001`.
public enum CommandLineSettings {
    /// The settings that `arguments` carry; of one given twice the last counts.
    public static func parse(_ arguments: [String]) throws(ConfigurationFailure) -> [Setting] {
        var settings: [Setting] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--"), argument.count > 2 else {
                throw ConfigurationFailure(argument, "unexpected argument; see --help")
            }
            let flag: String
            let value: String
            if let equals = argument.firstIndex(of: "=") {
                flag = String(argument[..<equals])
                value = String(argument[argument.index(after: equals)...])
            } else {
                flag = argument
                guard let next = rest.popFirst() else { throw ConfigurationFailure(flag, "a value is missing") }
                value = next
            }
            guard let name = nameByFlag[flag] else {
                throw ConfigurationFailure(flag, "unknown flag; --help lists all")
            }
            settings.append(Setting(name: name, value: value, origin: .flag))
        }
        return settings
    }

    private static let nameByFlag: [String: String] = {
        var names: [String: String] = [:]
        for key in ConfigurationKey.allCases {
            names[key.flag] = key.rawValue
            if let fileName = key.fileName { names["--" + ConfigurationKey.kebabCase(fileName)] = fileName }
        }
        return names
    }()
}

/// The settings as text: the part of `--help` and the whole of `.env.example`.
public enum Manual {
    /// All settings with default and meaning, as `--help` prints them.
    public static var settings: String {
        eachSection { section, keys in
            let entries = keys.map { key in
                let description = key.description
                return "  \(key.flag), \(key.rawValue)\n      \(description.meaning)\n      \(defaultLine(of: key))"
            }
            return "\(section)\n\n" + entries.joined(separator: "\n")
        }
    }

    /// The content of `.env.example`: every key with its default, commented out, so that a copy changes nothing.
    public static var environmentExample: String {
        let head = """
            # Settings of callrelay. Copy to .env in the working directory and uncomment what you change.
            # A flag (--http-port) beats the environment, the environment beats .env, .env beats the --config file.
            # An empty value means "none". A secret may also be given as NAME_FILE=path of a file that holds it.
            # Durations need a unit (500ms, 60s, 10m, 24h, 90d); sizes are bytes or 64kB, 256KiB, 1MB, 1MiB.


            """
        let body = eachSection { section, keys in
            let entries = keys.map { key in
                let secret = key.fileName.map { " (or \($0))" } ?? ""
                return """
                    # \(key.description.meaning)\(secret)
                    # \(defaultLine(of: key))
                    #\(key.rawValue)=\(example(of: key))
                    """
            }
            return "# --- \(section) ---\n\n" + entries.joined(separator: "\n\n")
        }
        return head + body + "\n"
    }

    private static func eachSection(_ render: (String, [ConfigurationKey]) -> String) -> String {
        var sections: [String] = []
        for key in ConfigurationKey.allCases where !sections.contains(key.description.section) {
            sections.append(key.description.section)
        }
        return sections.map { section in
            render(section, ConfigurationKey.allCases.filter { $0.description.section == section })
        }.joined(separator: "\n\n")
    }

    private static func defaultLine(of key: ConfigurationKey) -> String {
        switch key.description.default {
        case .none: "Default: none"
        case .value(let text): "Default: \(text)"
        case .derived(let words, _): "Default: \(words)"
        }
    }

    private static func example(of key: ConfigurationKey) -> String {
        switch key.description.default {
        case .none: ""
        case .value(let text): text
        case .derived(_, let example): example
        }
    }
}

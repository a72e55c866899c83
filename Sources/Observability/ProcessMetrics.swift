import Foundation

/// What the kernel says of this process, under the names that Prometheus' own clients give it.
public enum ProcessMetrics {
    /// Now. What cannot be read is left out.
    public static var now: [MetricFamily] {
        let fields = statFields
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        var families: [MetricFamily] = []
        // Fields 14 and 15 of proc(5), of which the first two are cut off: user and system time; 22 is the start.
        if fields.count > 19, let user = Double(fields[11]), let system = Double(fields[12]) {
            families.append(
                MetricFamily(
                    "process_cpu_seconds_total",
                    .counter,
                    "Processor time in seconds.",
                    [.init((user + system) / ticks)]
                )
            )
        }
        if fields.count > 19, let start = Double(fields[19]), let boot = bootTime {
            families.append(
                MetricFamily(
                    "process_start_time_seconds",
                    .gauge,
                    "When the process began, in seconds since 1970.",
                    [.init(boot + start / ticks)]
                )
            )
        }
        if fields.count > 21, let pages = Int(fields[21]) {
            families.append(
                MetricFamily(
                    "process_resident_memory_bytes",
                    .gauge,
                    "Memory that is resident, in bytes.",
                    pages * Int(sysconf(Int32(_SC_PAGESIZE)))
                )
            )
        }
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
            families.append(MetricFamily("process_open_fds", .gauge, "Open descriptors.", open))
        }
        if let most = descriptorLimit {
            families.append(MetricFamily("process_max_fds", .gauge, "Descriptors that may be open.", most))
        }
        return families
    }

    /// What follows the program's name, which may hold anything, in /proc/self/stat.
    private static var statFields: [Substring] {
        let text = Self.text("/proc/self/stat")
        guard let end = text.lastIndex(of: ")") else { return [] }
        return text[text.index(after: end)...].split(separator: " ")
    }

    private static var bootTime: Double? {
        let line = text("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line?.split(separator: " ").last.flatMap { Double($0) }
    }

    private static var descriptorLimit: Int? {
        let line = text("/proc/self/limits").split(separator: "\n").first { $0.hasPrefix("Max open files") }
        return line?.dropFirst("Max open files".count).split(separator: " ").first.flatMap { Int($0) }
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}

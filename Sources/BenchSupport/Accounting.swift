import FoundationEssentials

/// What the kernel's accounting says, at one moment.
public struct Accounting: Sendable {
    /// Nanoseconds that the server's threads ran.
    public var serverNanoseconds: UInt64 = 0
    /// By processor: ticks that it was busy.
    public var busyTicks: [UInt64] = []
    /// Ticks in interrupts' work, of all processors.
    public var softirqTicks: UInt64 = 0
    /// Ticks of all processors.
    public var totalTicks: UInt64 = 0

    /// Reads the machine's figures, and those of `process`.
    public static func now(of process: Int?) -> Accounting {
        var accounting = Accounting()
        if let process { accounting.serverNanoseconds = runNanoseconds(of: process) }
        for line in text("/proc/stat").split(separator: "\n") where line.hasPrefix("cpu") {
            let fields = line.split(separator: " ")
            guard fields[0] != "cpu", fields.count > 8 else { continue }
            let ticks = fields.dropFirst().prefix(8).map { UInt64($0) ?? 0 }
            let total = ticks.reduce(0, +)
            // user nice system idle iowait irq softirq steal
            accounting.busyTicks.append(total - ticks[3] - ticks[4])
            accounting.softirqTicks += ticks[5] + ticks[6]
            accounting.totalTicks += total
        }
        return accounting
    }

    /// The time on a processor of all threads of a process, by the scheduler's own count.
    public static func runNanoseconds(of process: Int) -> UInt64 {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return tasks.reduce(0) { sum, task in
            let first = text("/proc/\(process)/task/\(task)/schedstat").split(separator: " ").first
            return sum + (first.flatMap { UInt64($0) } ?? 0)
        }
    }

    /// The same of a process and its children: a database has one for each connection. Of one that ended meanwhile it is lost.
    public static func runNanoseconds(ofFamily process: Int) -> UInt64 {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return tasks.reduce(runNanoseconds(of: process)) { sum, task in
            text("/proc/\(process)/task/\(task)/children").split(separator: " ").compactMap { Int($0) }
                .reduce(sum) { $0 + runNanoseconds(of: $1) }
        }
    }

    /// Bytes of a process that are in memory; 0 if it is not to be read.
    public static func residentBytes(of process: Int) -> UInt64 {
        for line in text("/proc/\(process)/status").split(separator: "\n") where line.hasPrefix("VmRSS:") {
            return (line.split(separator: " ").dropFirst().first.flatMap { UInt64($0) } ?? 0) * 1024
        }
        return 0
    }

    /// Bytes that the kernel keeps in its own small records.
    public static func slabBytes() -> UInt64 {
        for line in text("/proc/meminfo").split(separator: "\n") where line.hasPrefix("Slab:") {
            return (line.split(separator: " ").dropFirst().first.flatMap { UInt64($0) } ?? 0) * 1024
        }
        return 0
    }

    /// A file of /proc; empty if it is not to be read.
    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}

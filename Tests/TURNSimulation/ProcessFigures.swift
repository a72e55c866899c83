import FoundationEssentials
import Glibc

/// What this process has used.
enum ProcessFigures {
    /// Time that this thread ran: what others do on the machine is not in it.
    static func cpuNanoseconds() -> UInt64 { nanoseconds(CLOCK_THREAD_CPUTIME_ID) }

    /// Time by the clock; read without a system call.
    static func clockNanoseconds() -> UInt64 { nanoseconds(CLOCK_MONOTONIC) }

    /// Bytes that are in memory; 0 if /proc is not to be read.
    static func residentBytes() -> Int {
        let text = String(decoding: FileManager.default.contents(atPath: "/proc/self/statm") ?? Data(), as: UTF8.self)
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }

    /// Has the allocator give back what is free, so that what comes next does not find room there unseen.
    static func giveBackFreeMemory() {
        // Swift's view of the C library does not have it.
        // SAFETY: a function of the C library by its name, with the type that its manual gives it.
        guard let symbol = unsafe dlsym(nil, "malloc_trim") else { return }
        typealias Trim = @convention(c) (Int) -> Int32
        _ = unsafe unsafeBitCast(symbol, to: Trim.self)(0)
    }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        // SAFETY: the kernel writes one `timespec`; both clocks exist on every Linux.
        _ = unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

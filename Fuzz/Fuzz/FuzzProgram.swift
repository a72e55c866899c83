import CFuzzDriver
import FuzzBodies
import Glibc
import NetPrimitives

/// `FUZZ_TARGET=… fuzz [libFuzzer's arguments]`: one program for all targets. The name comes by the environment because
/// libFuzzer starts its own program again, with its own arguments, for merging and minimising.
@main
enum FuzzProgram {
    /// Which target this process runs; set once, before the loop begins.
    nonisolated(unsafe) private static var target = FuzzTarget.message

    static func main() {
        // SAFETY: no other thread runs yet, and the string is copied at once.
        let name = unsafe getenv("FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
        guard let chosen = FuzzTarget(rawValue: name) else {
            print("FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
            exit(2)
        }
        // SAFETY: as above; the arguments live as long as the process, and the callback borrows its bytes for the call.
        unsafe target = chosen
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
            unsafe FuzzProgram.run(UnsafeRawBufferPointer(start: data, count: size))
            return 0
        }
        exit(status)
    }

    private static func run(_ bytes: UnsafeRawBufferPointer) {
        do throws(FuzzFinding) {
            // SAFETY: the bytes outlive the call, and the target was set before it.
            try unsafe target.run(bytes.bytes)
        } catch {
            fatalError("finding: \(error)")
        }
    }
}

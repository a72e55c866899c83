import Foundation
import Testing

/// Style that a formatter does not know, as tests.
@Suite("The sources are tidy")
struct TidyTests {
    @Test("no source file needs a table of contents")
    func filesAreShort() throws {
        for file in try SourceTree.swiftFiles(below: "Sources") {
            let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(lines <= 350, "\(file.path) has \(lines) lines")
        }
    }

    @Test("cores read no clock, draw no randomness of their own, take no lock and know no async")
    func coresArePure() throws {
        let banned = [
            "async ", "await ", "Task {", "Task.", "actor ", "Mutex", "Locked<", "Locked(", "Atomic<", "DispatchQueue",
            ".now()", "ContinuousClock", "SystemRandomNumberGenerator", ".random(in: ", " print(",
        ]
        // One bitmap that all shards share (docs/decisions/0003-live-relay-ports.md).
        let isShared = { (path: String) in path == "Sources/TURNRelay/LiveRelayPorts.swift" }
        for file in try SourceTree.swiftFiles(below: "Sources") where ImportRules.cores.contains(file.target) {
            let found = SourceText.occurrences(of: banned, in: file.text)
                // A generator that is handed in keeps the core deterministic.
                .filter { !($0.contains(".random(in: ") && file.text.contains("using: &")) }
                .filter { !($0.contains("Atomic<") && isShared(file.path)) }
            #expect(found.isEmpty, "\(file.path): \(found.joined(separator: "; "))")
        }
    }

    @Test("every lock is a Locked value")
    func locksAreSeen() throws {
        let banned = ["Mutex", "NIOLock", "NSLock", "NSRecursiveLock", "DispatchSemaphore", "pthread_mutex"]
        let folders = try SourceTree.swiftFiles(below: "Sources") + SourceTree.swiftFiles(below: "Tests")
        for file in folders where file.target != "Locking" && file.target != "ArchitectureTests" {
            let found = SourceText.occurrences(of: banned, in: file.text)
            #expect(found.isEmpty, "\(file.path): \(found.joined(separator: "; ")); use `Locked`")
        }
    }

    @Test("nothing unfinished and nothing that traps on a whim")
    func nothingUnfinished() throws {
        let banned = ["TODO", "FIXME", "XXX", "try!", " as! ", "fatalError("]
        for file in try SourceTree.swiftFiles(below: "Sources") {
            let markers = banned.filter { file.text.contains($0) }
            #expect(markers.isEmpty, "\(file.path): \(markers.joined(separator: ", "))")
        }
    }

    @Test("whoever sidesteps the compiler says why it is safe")
    func escapesAreExplained() throws {
        for file in try SourceTree.swiftFiles(below: "Sources") where file.text.contains("@unchecked Sendable") {
            #expect(file.text.contains("SAFETY:"), "\(file.path) has @unchecked Sendable without a SAFETY line")
        }
    }

    @Test("banned words are found in code and not in comments")
    func occurrencesSkipComments() {
        let source = "let a = 1 // await here\nfingerprint(a)\nawait run()\nprint(a)"
        #expect(
            SourceText.occurrences(of: ["await ", "print("], in: source) == ["line 3: await ", "line 4: print("]
        )
    }
}

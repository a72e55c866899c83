import Foundation
import Testing

@testable import callrelay

@Suite("Dev mode's shared secret")
struct SharedSecretsTests {
    private static func withDirectory(_ body: (URL) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try body(directory)
    }

    @Test("is made once, for its owner alone, and kept")
    func madeOnce() throws {
        try Self.withDirectory { directory in
            let path = directory.appending(path: "data/turn_shared_secret").path
            let first = try SharedSecrets.kept(at: path)
            #expect(first.count == 64)
            #expect(try SharedSecrets.kept(at: path) == first)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            try FileManager.default.removeItem(atPath: path)
            #expect(try SharedSecrets.kept(at: path) != first)
        }
    }

    @Test("a file that holds none is refused, not overwritten")
    func damaged() throws {
        try Self.withDirectory { directory in
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let path = directory.appending(path: "turn_shared_secret").path
            try "short\n".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(throws: CommandFailure.self) { _ = try SharedSecrets.kept(at: path) }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "short\n")
        }
    }
}

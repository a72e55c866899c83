import Foundation
import Glibc
import ServerConfiguration

/// The secrets of time-limited credentials, as the configuration says or as dev mode keeps them.
enum SharedSecrets {
    /// Where dev mode keeps the secret that it made, beside the default database.
    static let devPath = "data/turn_shared_secret"

    /// The secrets, the minting one first; none if the configuration has none.
    static func texts(of turn: TURNSettings) throws -> [String] {
        switch turn.sharedSecret {
        case .none: []
        case .given(let secrets): secrets
        case .keptInDataDirectory: [try kept(at: devPath)]
        }
    }

    /// Reads the secret at `path`, or makes one and writes it there for this user alone.
    static func kept(at path: String) throws -> String {
        if FileManager.default.fileExists(atPath: path) {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw CommandFailure.start("TURN_SHARED_SECRET: cannot read \"\(path)\"")
            }
            let secret = text.filter { !$0.isWhitespace }
            guard secret.count >= 32 else {
                throw CommandFailure.start(
                    "TURN_SHARED_SECRET: \"\(path)\" holds no secret; delete it to have one made"
                )
            }
            return secret
        }
        let secret = drawn()
        let directory = URL(filePath: path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure.start("TURN_SHARED_SECRET: cannot make the directory of \"\(path)\"")
        }
        do {
            try write(secret + "\n", toNewFileAt: path)
        } catch {
            throw CommandFailure.start("TURN_SHARED_SECRET: cannot write \"\(path)\"")
        }
        return secret
    }

    /// The mode is given at creation, which Foundation cannot: it changes the mode of a file that is already there. So
    /// the secret is at no moment readable for others.
    private static func write(_ text: String, toNewFileAt path: String) throws {
        // SAFETY: the path is lent to the call as a C string and not kept.
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    /// 256 bits from the system's generator, in hexadecimal digits.
    static func drawn() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in hexadecimal(generator.next()) }.joined()
    }

    private static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

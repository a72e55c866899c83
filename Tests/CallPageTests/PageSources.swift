import Foundation

/// The page's files as they stand in the repository.
enum PageSources {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Sources/CallPage/web", directoryHint: .isDirectory)

    /// The absolute path on the server and the content of every file.
    static func all() throws -> [(path: String, bytes: [UInt8])] {
        try FileManager.default.subpathsOfDirectory(atPath: root.path())
            .map { (path: "/" + $0, file: root.appending(path: $0)) }
            .filter { try $0.file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true }
            .map { (path: $0.path, bytes: [UInt8](try Data(contentsOf: $0.file))) }
    }

    /// The files of the named types as text.
    static func texts(_ extensions: String...) throws -> [(path: String, text: String)] {
        try all()
            .filter { file in extensions.contains { file.path.hasSuffix("." + $0) } }
            .map { (path: $0.path, text: String(decoding: $0.bytes, as: UTF8.self)) }
    }
}

import Foundation
import Testing

/// The package's own files on disk, found from where this file was compiled.
enum SourceTree {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct File {
        let target: String
        let path: String
        let text: String
    }

    /// Every Swift file below `Sources` or `Tests`, with the target folder it lies in.
    static func swiftFiles(below folder: String) throws -> [File] {
        let base = root.appendingPathComponent(folder)
        let walker = try #require(FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil))
        return try walker.compactMap { entry -> File? in
            guard let url = entry as? URL, url.pathExtension == "swift" else { return nil }
            let relative = String(url.path.dropFirst(base.path.count + 1))
            let target = try #require(relative.split(separator: "/").first.map(String.init))
            return File(
                target: target,
                path: "\(folder)/\(relative)",
                text: try String(contentsOf: url, encoding: .utf8)
            )
        }
    }

    /// The texts of all files below `folder` with one of these extensions, by file name without its folders.
    static func texts(below folder: String, extensions: Set<String>) throws -> [String: [String]] {
        let base = root.appendingPathComponent(folder)
        let walker = try #require(FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil))
        var texts: [String: [String]] = [:]
        for case let url as URL in walker where extensions.contains(url.pathExtension) {
            texts[url.lastPathComponent, default: []].append(try String(contentsOf: url, encoding: .utf8))
        }
        return texts
    }

    /// The names of the folders below `Sources`: one a target.
    static func targets() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("Sources").path).sorted()
    }
}

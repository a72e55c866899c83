import Foundation
import FuzzBodies
import NetPrimitives
import TestSupport
import Testing

@Suite("The fuzzers' corpora")
struct CorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Corpora")

    private func inputs(_ target: FuzzTarget) throws -> [URL] {
        let folder = Self.folder.appendingPathComponent(target.rawValue)
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }

    @Test("are replayed without a finding", arguments: FuzzTarget.allCases)
    func replay(target: FuzzTarget) throws {
        let inputs = try inputs(target)
        #expect(inputs.count >= 10, "\(inputs.count) inputs")
        for input in inputs {
            let bytes = [UInt8](try Data(contentsOf: input))
            #expect(throws: Never.self, "\(input.path)") { try target.run(bytes.span.rawBytes) }
        }
    }

    @Test("stay small enough for a repository")
    func size() throws {
        var total = 0
        for target in FuzzTarget.allCases {
            for input in try inputs(target) { total += try Data(contentsOf: input).count }
        }
        #expect(total <= 200 * 1024, "\(total) bytes")
    }

    @Test("random and mutated inputs pass too", arguments: FuzzTarget.allCases)
    func random(target: FuzzTarget) throws {
        let inputs = try inputs(target).map { [UInt8](try Data(contentsOf: $0)) }
        try checkProperty("fuzz target \(target.rawValue)", iterations: 300) { random in
            let seed = inputs[Int.random(in: 0..<inputs.count, using: &random)]
            let bytes = random.oneIn(4) ? random.randomDatagram() : random.mutated(seed)
            try target.run(bytes.span.rawBytes)
        }
    }
}

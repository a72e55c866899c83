import Testing

@Suite("Imports follow the arrows of the architecture")
struct ImportDirectionTests {
    @Test("every target has a rule")
    func everyTargetIsRuled() throws {
        for target in try SourceTree.targets() where !ImportRules.executables.contains(target) {
            #expect(ImportRules.byTarget[target] != nil, "add \(target) to ImportRules.byTarget")
        }
    }

    @Test("no source imports against the arrows")
    func noImportPointsUpward() throws {
        let files = try SourceTree.swiftFiles(below: "Sources")
        #expect(!files.isEmpty)
        for file in files where !ImportRules.executables.contains(file.target) {
            let violations = ImportRules.violations(target: file.target, source: file.text)
            #expect(violations.isEmpty, "\(file.path): \(violations.joined(separator: ", "))")
        }
    }

    @Test("the rules themselves never point upward")
    func rulesAreAcyclic() {
        for (target, rule) in ImportRules.byTarget {
            for lower in rule.own {
                let below = ImportRules.byTarget[lower]?.own ?? []
                #expect(!below.contains(target), "\(target) and \(lower) may import each other")
            }
        }
    }

    @Test(
        "an import against the arrows is found, however it is written",
        arguments: [
            "import PacketIO", "public import PacketIO", "@testable import PacketIO",
            "internal import PacketIO // for tests",
            "import struct PacketIO.Poller", "import Foundation", "@unsafe @preconcurrency import Glibc",
        ]
    )
    func violationIsFound(line: String) {
        #expect(ImportRules.violations(target: "TURNRelay", source: "// why\n\(line)\nstruct X {}").count == 1)
    }

    @Test("what is allowed, and the word in a comment, are left alone")
    func allowedIsLeftAlone() {
        let source = "public import NetPrimitives\nimport STUNCore\n// import PacketIO\nlet important = 1"
        #expect(ImportRules.violations(target: "TURNRelay", source: source).isEmpty)
    }
}

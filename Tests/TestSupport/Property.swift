import Foundation

/// A property that did not hold, and how to see it again.
public struct PropertyFalsified: Error, CustomStringConvertible {
    /// What was claimed, the seed that refutes it at once, and what came out.
    public let description: String
}

/// One claim inside a property that turned out wrong.
public struct ClaimFailure: Error, CustomStringConvertible {
    /// What was expected and what was seen.
    public let description: String

    /// A claim refuted by what `description` tells.
    public init(description: String) { self.description = description }
}

/// Runs `body` with `iterations` different seeds.
///
/// The seed of a run is printed before it starts, so that a trap tells it too, and an error names the seed of the
/// iteration that failed. `PROPERTY_SEED` in the environment replays: the iteration with that seed comes first.
public func checkProperty(
    _ name: String,
    iterations: Int = 1_000,
    _ body: (inout SeededGenerator) throws -> Void
) throws {
    let seed =
        ProcessInfo.processInfo.environment["PROPERTY_SEED"].flatMap { UInt64($0) }
        ?? UInt64.random(in: 0...UInt64.max)
    print("property \"\(name)\": PROPERTY_SEED=\(seed)")
    for iteration in 0..<UInt64(iterations) {
        let iterationSeed = seed &+ iteration
        var generator = SeededGenerator(seed: iterationSeed)
        do {
            try body(&generator)
        } catch {
            throw PropertyFalsified(description: "\"\(name)\" fails with PROPERTY_SEED=\(iterationSeed): \(error)")
        }
    }
}

/// Fails the property that runs if `condition` is false; `message` tells what was seen.
public func claim(_ condition: Bool, _ message: @autoclosure () -> String) throws(ClaimFailure) {
    guard condition else { throw ClaimFailure(description: message()) }
}

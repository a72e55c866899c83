import NetPrimitives

/// A relay's life, read from bytes: a few clients, users and peers who do what the bytes say, in any order, while time
/// passes and sockets open or do not. After every step the relay is held against the ledger of what it has granted.
enum RelayFuzz {
    /// Longer histories find nothing that two shorter ones do not.
    private static let maximumSteps = 150

    static func run(_ bytes: RawSpan) throws(FuzzFinding) {
        var input = FuzzInput(bytes)
        var world = RelayWorld(RelayWorld.Settings(&input))
        var steps = 0
        while !input.isEmpty, steps < maximumSteps {
            try RelayStep.take(&input, in: &world)
            try world.checkBooks()
            steps += 1
        }
        try world.checkNothingIsLeft()
    }
}

import ArgumentParser

/// How long a load by the clock takes.
struct TimingOptions: ParsableArguments {
    @Option(help: "Seconds to measure.")
    var duration = 10.0

    @Option(help: "Seconds of load before that.")
    var warmUp = 2.0

    func validate() throws {
        guard duration > 0, duration <= 86_400, warmUp >= 0, warmUp <= 3_600 else {
            throw ValidationError("--duration must be above 0 and at most 86400 seconds, --warm-up 0 to 3600")
        }
    }
}

import Observability
import Testing

@Suite("Metrics")
struct PrometheusTextTests {
    @Test("a family has its help and kind before its numbers, and labels are quoted")
    func text() {
        let families = [
            MetricFamily(
                "things_total",
                .counter,
                "Things, \\ and\nmore.",
                [.init(3, ("kind", "a\"b\\c\nd"), ("by", "x")), .init(0.25, ("kind", ""), ("by", "y"))]
            ),
            MetricFamily("level", .gauge, "A \"level\".", -7),
            MetricFamily("none_total", .counter, "Nothing.", []),
        ]
        let expected = #"""
            # HELP things_total Things, \\ and\nmore.
            # TYPE things_total counter
            things_total{kind="a\"b\\c\nd",by="x"} 3
            things_total{kind="",by="y"} 0.25
            # HELP level A "level".
            # TYPE level gauge
            level -7
            # HELP none_total Nothing.
            # TYPE none_total counter

            """#
        #expect(PrometheusText.text(of: families) == expected)
    }

    @Test(
        "numbers are whole where they are, and what is no number has a name",
        arguments: [
            (1e14, "100000000000000"), (1e16, "1e+16"), (0.1, "0.1"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
            (.nan, "NaN"),
        ] as [(Double, String)]
    )
    func numbers(value: Double, text: String) {
        let family = MetricFamily("n", .gauge, "N.", [.init(value)])
        #expect(PrometheusText.text(of: [family]).hasSuffix("\nn \(text)\n"))
    }

    @Test("what is known from the beginning is told as zero, and counts are of all threads")
    func tally() async {
        let tally = Tally(["a", "b"])
        #expect(tally.all == ["a": 0, "b": 0])
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<100 { group.addTask { tally.count(number % 2 == 0 ? "a" : "c") } }
        }
        #expect(tally.all == ["a": 50, "b": 0, "c": 50])
    }

    @Test("the process has its time, memory, start and descriptors")
    func process() {
        let families = ProcessMetrics.now
        let values = Dictionary(families.map { ($0.name, $0.samples.first?.value ?? 0) }) { one, _ in one }
        #expect(families.count == 5)
        #expect(values.values.allSatisfy { $0 > 0 }, "\(values)")
        #expect(values["process_start_time_seconds"].map { $0 > 1_700_000_000 } == true)
        #expect(values["process_open_fds"].map { $0 < values["process_max_fds"] ?? 0 } == true)
    }
}

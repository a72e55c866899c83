import ArgumentParser

/// What the program prints.
struct ScaleReport: Encodable {
    enum Part: String, ExpressibleByArgument, CaseIterable {
        case sizes, relays, costs
    }

    /// The relays of one load under one rule.
    struct Fleet: Encodable {
        let sample: Int
        let figures: FleetFigures

        var rule: String {
            switch sample {
            case 0: "least loaded of all"
            case 1, 2: "two at random"
            default: "least loaded of \(sample) drawn"
            }
        }
    }

    struct Load: Encodable {
        let sizes: Sizes
        let fleets: [Fleet]
    }

    let loads: [Load]

    /// The table of one part, or both.
    func markdown(_ part: Part?) -> String {
        switch part {
        case .sizes: sizeTable
        case .relays: fleetTable
        case .costs: MeasuredCosts.table
        case nil: sizeTable + "\n" + fleetTable
        }
    }

    private var sizeTable: String {
        typealias Row = (name: String, value: (Sizes) -> String)
        let rows: [Row] = [
            ("calls begun, 1/s", { Form.number($0.traffic.startedPerSecond) }),
            ("changes committed, 1/s", { Form.number($0.changesPerSecond) }),
            ("sockets", { Form.number($0.traffic.sockets) }),
            ("nodes' processors for calls", { Form.number($0.nodeCores) }),
            ("nodes' memory for sockets, GB", { Form.number($0.socketBytes / 1e9) }),
            ("**nodes** of \(Int(Sizes.nodeProcessors)) processors", { Form.number(Double($0.nodes)) }),
            ("until a dead node's users are back, s", { Form.number($0.secondsToResume) }),
            ("**PostgreSQL's processors**", { Form.number($0.databaseCores) }),
            ("PostgreSQL's log, MB/s", { Form.number($0.logBytesPerSecond / 1e6) }),
            ("kept of a day's calls, GB", { Form.number($0.keptBytesPerDay / 1e9) }),
            ("**Redis' processor**, used", { Form.number($0.redisCores) }),
            ("allocations", { Form.number($0.traffic.allocations) }),
            ("relayed, packets/s", { Form.number($0.traffic.relayedPackets) }),
            ("relayed, Gbit/s in and as many out", { Form.number($0.traffic.relayedBits / 1e9) }),
            ("relays' processors", { Form.number($0.relayCores) }),
            ("relays by processors, \(Int(Sizes.relayProcessors)) each", { Form.number($0.relaysByCores) }),
            ("relays by network, \(Int(Sizes.relayBits / 1e9)) Gbit/s each", { Form.number($0.relaysByNetwork) }),
            ("relays by ports, \(Form.number(Sizes.portsPerRelay)) each", { Form.number($0.relaysByPorts) }),
            ("**relays**", { Form.number(Double($0.relays)) }),
        ]
        let heads = ["calls at the same time"] + loads.map { Form.number(Double($0.sizes.traffic.calls)) }
        return Form.table(heads, rows.map { row in [row.name] + loads.map { row.value($0.sizes) } })
    }

    private var fleetTable: String {
        let heads = [
            "calls, relays", "rule", "allocations of a relay, mean", "fullest", "to mean", "new in a second, at most",
            "refused", "after a death: fullest", "refused", "calls moved", "left without",
        ]
        let rows = loads.flatMap { load in
            load.fleets.map { fleet in
                let (steady, after) = (fleet.figures.steady, fleet.figures.after)
                return [
                    "\(Form.number(Double(load.sizes.traffic.calls))), \(fleet.figures.relays)", fleet.rule,
                    Form.number(steady.meanAllocations), Form.number(Double(steady.peakAllocations)),
                    Form.ratio(steady.unevenness), Form.number(Double(steady.peakNewPerSecond)),
                    Form.number(Double(steady.refused)), Form.number(Double(after.peakAllocations)),
                    Form.number(Double(after.refused)), Form.number(Double(fleet.figures.restarted)),
                    Form.number(Double(after.withoutRelay)),
                ]
            }
        }
        return Form.table(heads, rows)
    }
}

/// Numbers and tables as the documents have them.
enum Form {
    /// With two digits that count where there is little before the point, and commas where there is much.
    static func number(_ value: Double) -> String {
        if value == 0 { return "0" }
        if abs(value) < 0.01 { return "< 0.01" }
        if abs(value) < 1 { return decimal(value, 2) }
        if abs(value) < 100, value != value.rounded() { return decimal(value, 1) }
        let digits = String(Int(value.rounded()))
        var grouped = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { grouped.append(",") }
            grouped.append(digit)
        }
        return grouped
    }

    static func ratio(_ value: Double) -> String { decimal(value, 2) }

    private static func decimal(_ value: Double, _ places: Int) -> String {
        let scale = places == 1 ? 10 : 100
        let scaled = Int((value * Double(scale)).rounded())
        let rest = String(scaled % scale)
        return "\(scaled / scale)." + String(repeating: "0", count: places - rest.count) + rest
    }

    static func table(_ heads: [String], _ rows: [[String]]) -> String {
        let lines = [heads, ["---"] + heads.dropFirst().map { _ in "---:" }] + rows
        return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }
}

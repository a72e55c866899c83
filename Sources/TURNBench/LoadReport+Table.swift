extension LoadReport {
    /// The closing table, for people.
    public var table: String {
        var rows: [(String, String)] = [
            ("server", target),
            ("allocations", "\(allocations), set up in \(Self.fixed(setup.seconds, 2)) s (\(Int(setup.perSecond))/s)"),
        ]
        if let each = setup.serverMemoryBytesEach {
            rows.append(("memory/allocation", "\(Int(each)) B resident"))
        }
        if let each = setup.slabBytesEach { rows.append(("slab/allocation", "\(Int(each)) B of the kernel's")) }
        if let each = setup.serverCPUMicrosecondsEach {
            rows.append(("set-up CPU", "\(Self.fixed(each, 1)) µs of the server's an allocation"))
        }
        if seconds > 0 {
            let offered = offeredPerSecond.map { "\(Int($0)) packets/s each way" } ?? "as much as could be"
            rows.append(("load", "\(payloadBytes) B, \(mode), bursts of \(burst)\(gso ? " by GSO" : ""), \(offered)"))
        }
        for (name, direction) in [("up", up), ("down", down)] {
            guard let direction else { continue }
            let latency = direction.latencyMicroseconds
            rows.append(
                (name, "\(Int(direction.sentPerSecond))/s sent, \(Int(direction.receivedPerSecond))/s received")
            )
            rows.append(("  loss", "\(direction.lost) (\(Self.fixed(direction.lossRatio * 100, 3)) %)"))
            rows.append(("  late, twice", "\(direction.reordered), \(direction.duplicates)"))
            rows.append(
                (
                    "  latency",
                    "p50 \(Self.fixed(latency.p50, 1)), p99 \(Self.fixed(latency.p99, 1)), "
                        + "p99.9 \(Self.fixed(latency.p99_9, 1)), max \(Self.fixed(latency.max, 1)) µs"
                )
            )
        }
        if let server {
            rows.append(
                (
                    "server CPU",
                    "\(Int(server.cpuNanosecondsPerPacket)) ns/packet, \(Self.fixed(server.cpuShare * 100, 1)) % of a core"
                )
            )
            rows.append(("server memory", "\(server.memoryBytes / 1024) KiB resident"))
        }
        if let machine {
            let busy = machine.busyByCPU.map { Self.fixed($0 * 100, 0) }.joined(separator: ", ")
            rows.append(("machine CPU", "\(Int(machine.cpuNanosecondsPerPacket)) ns/packet; busy \(busy) %"))
        }
        if let generator { rows.append(("generator", "\(Self.fixed(generator.busy * 100, 1)) % busy")) }
        for reason in void { rows.append(("VOID", reason)) }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, text in
            name + String(repeating: " ", count: width - name.count + 2) + text + "\n"
        }.joined()
    }

    /// `value` with so many decimals.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard decimals > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % scale)
        return "\(sign)\(scaled / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}

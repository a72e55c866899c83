import BenchCore

extension LoadReport {
    /// The closing table, for people.
    public var table: String {
        var rows: [(String, String)] = [
            ("server", target),
            (
                "allocations",
                "\(allocations), set up in \(Decimals.text(setup.seconds, 2)) s (\(Int(setup.perSecond))/s)"
            ),
        ]
        if let each = setup.serverMemoryBytesEach {
            rows.append(("memory/allocation", "\(Int(each)) B resident"))
        }
        if let each = setup.slabBytesEach { rows.append(("slab/allocation", "\(Int(each)) B of the kernel's")) }
        if let each = setup.serverCPUMicrosecondsEach {
            rows.append(("set-up CPU", "\(Decimals.text(each, 1)) µs of the server's an allocation"))
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
            rows.append(("  loss", "\(direction.lost) (\(Decimals.text(direction.lossRatio * 100, 3)) %)"))
            rows.append(("  late, twice", "\(direction.reordered), \(direction.duplicates)"))
            rows.append(
                (
                    "  latency",
                    "p50 \(Decimals.text(latency.p50, 1)), p99 \(Decimals.text(latency.p99, 1)), "
                        + "p99.9 \(Decimals.text(latency.p99_9, 1)), max \(Decimals.text(latency.max, 1)) µs"
                )
            )
        }
        if let server {
            rows.append(
                (
                    "server CPU",
                    "\(Int(server.cpuNanosecondsPerPacket)) ns/packet, \(Decimals.text(server.cpuShare * 100, 1)) % of a core"
                )
            )
            rows.append(("server memory", "\(server.memoryBytes / 1024) KiB resident"))
        }
        if let machine {
            let busy = machine.busyByCPU.map { Decimals.text($0 * 100, 0) }.joined(separator: ", ")
            rows.append(("machine CPU", "\(Int(machine.cpuNanosecondsPerPacket)) ns/packet; busy \(busy) %"))
        }
        if let generator { rows.append(("generator", "\(Decimals.text(generator.busy * 100, 1)) % busy")) }
        for reason in void { rows.append(("VOID", reason)) }
        var table = ReportTable()
        for (name, text) in rows { table.add(name, text) }
        return table.text
    }
}

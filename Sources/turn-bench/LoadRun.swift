import BenchSupport
import CPacketIO
import NetPrimitives
import PacketIO
import TURNBench

/// A whole run: set up, warm up, measure, drain, give back.
struct LoadRun {
    /// How long packets may still be on their way when the load is over.
    static let drainNanoseconds: UInt64 = 300_000_000

    let plan: LoadPlan
    let server: Endpoint
    let bind: IPAddress
    /// By client, so that quotas by user do not stand in a load's way.
    let credential: (Int) -> LoadCredential
    let status: StatusLine

    func run() throws -> LoadReport {
        PinnedThread.raiseDescriptorLimit()
        let options = UDPSocketOptions(receiveBufferBytes: 4 << 20, sendBufferBytes: 4 << 20)
        let peer = try UDPSocket(boundTo: Endpoint(address: bind, port: 0), options: options)
        if plan.usesSegmentation, packet_set_joining(peer.descriptor.rawValue).error != 0 {
            throw BenchFailure("this kernel has no UDP_GRO")
        }
        let flows = try makeFlows(peer.endpoint)
        var report = LoadReport(plan, setup: try setUp(flows, peer.endpoint))
        var generator = try Generator(plan: plan, flows: flows, peer: peer)
        if plan.seconds > 0 {
            measure(&generator, into: &report)
        } else if let process = plan.serverProcess {
            let bytes = Accounting.residentBytes(of: process)
            report.server = .init(pid: process, cpuSeconds: 0, packets: 0, seconds: 0, memoryBytes: bytes)
        }
        generator.endAllocations()
        status.clear()
        report.void = plan.seconds > 0 ? VoidRule.reasons(report) : []
        return report
    }

    private func makeFlows(_ peer: Endpoint) throws -> [ClientFlow] {
        try (0..<plan.allocations).map { number in
            let session = ClientSession(credential: credential(number), peer: peer, mode: plan.mode)
            return try ClientFlow(
                number: UInt32(number),
                bind: bind,
                server: server,
                session: session,
                joins: plan.usesSegmentation
            )
        }
    }

    private func setUp(_ flows: [ClientFlow], _ peer: Endpoint) throws -> LoadReport.Setup {
        let memory = plan.serverProcess.map { Accounting.residentBytes(of: $0) }
        let slab = Accounting.slabBytes()
        let run = plan.serverProcess.map { Accounting.runNanoseconds(of: $0) }
        let begin = SystemClock.now()
        try Setup(plan: plan, peer: peer) { status.show("\($0) of \(plan.allocations) allocations") }.run(flows)
        let seconds = Double(SystemClock.now().nanoseconds - begin.nanoseconds) / 1e9
        var setup = LoadReport.Setup(allocations: plan.allocations, seconds: seconds)
        let each = Double(plan.allocations)
        if let process = plan.serverProcess, let memory, let run {
            let grown = Double(Accounting.residentBytes(of: process)) - Double(memory)
            setup.serverMemoryBytesEach = grown / each
            setup.serverCPUMicrosecondsEach = Double(Accounting.runNanoseconds(of: process) - run) / 1000 / each
        }
        setup.slabBytesEach = (Double(Accounting.slabBytes()) - Double(slab)) / each
        return setup
    }

    private func measure(_ generator: inout Generator, into report: inout LoadReport) {
        let warmUpEnd = SystemClock.now().nanoseconds &+ UInt64(plan.warmUpSeconds * 1e9)
        generator.run(until: Instant(nanoseconds: warmUpEnd)) { _, seconds in
            status.show("warming up, \(Int(seconds)) of \(Int(plan.warmUpSeconds)) s")
        }
        generator.drain(nanoseconds: 20_000_000)
        let before = Accounting.now(of: plan.serverProcess)
        let begin = SystemClock.now()
        generator.startCounting(at: begin)
        var told = Told()
        let planned = Instant(nanoseconds: begin.nanoseconds &+ UInt64(plan.seconds * 1e9))
        generator.run(until: planned) { generator, seconds in
            status.show(told.line(generator.up, generator.down, generator.busyNanoseconds, seconds))
        }
        let end = SystemClock.now()
        let after = Accounting.now(of: plan.serverProcess)
        let seconds = Double(end.nanoseconds - begin.nanoseconds) / 1e9
        let packets = generator.up.received + generator.down.received
        let waiting = end.nanoseconds - begin.nanoseconds - generator.busyNanoseconds
        report.seconds = seconds
        report.generator = .init(busy: Double(generator.busyNanoseconds) / 1e9 / seconds)
        report.machine = machine(before, after, packets: packets, waitingNanoseconds: waiting)
        if let process = plan.serverProcess {
            report.server = .init(
                pid: process,
                cpuSeconds: Double(after.serverNanoseconds - before.serverNanoseconds) / 1e9,
                packets: packets,
                seconds: seconds,
                memoryBytes: Accounting.residentBytes(of: process)
            )
        }
        generator.drain(nanoseconds: Self.drainNanoseconds)
        report.up = plan.direction.hasUp ? .init(generator.up, seconds: seconds) : nil
        report.down = plan.direction.hasDown ? .init(generator.down, seconds: seconds) : nil
    }

    private func machine(
        _ before: Accounting,
        _ after: Accounting,
        packets: UInt64,
        waitingNanoseconds: UInt64
    ) -> LoadReport.Machine {
        let ticks = zip(after.busyTicks, before.busyTicks).map { $0 - $1 }
        let perCPU = Double(after.totalTicks - before.totalTicks) / Double(max(1, ticks.count))
        // The kernel's tick is a hundredth of a second to whoever reads it, whatever its own is.
        let busyNanoseconds = Double(ticks.reduce(0, +)) * 1e7 - Double(waitingNanoseconds)
        return .init(
            cpuNanosecondsPerPacket: packets == 0 ? 0 : max(0, busyNanoseconds) / Double(packets),
            busyByCPU: ticks.map { perCPU > 0 ? Double($0) / perCPU : 0 },
            softirqShare: Double(after.softirqTicks - before.softirqTicks)
                / Double(max(1, after.totalTicks - before.totalTicks))
        )
    }
}

/// What the live line said last, so that it can say what came since.
struct Told {
    private var sent: UInt64 = 0
    private var received: UInt64 = 0
    private var busy: UInt64 = 0

    mutating func line(_ up: LoadTotals, _ down: LoadTotals, _ busyNanoseconds: UInt64, _ seconds: Double) -> String {
        let sentNow = up.sent + down.sent
        let receivedNow = up.received + down.received
        defer { (sent, received, busy) = (sentNow, receivedNow, busyNanoseconds) }
        let p99 = max(up.latencyMicroseconds(percent: 99), down.latencyMicroseconds(percent: 99))
        return "\(Int(seconds)) s: \(sentNow - sent)/s sent, \(receivedNow - received)/s received, "
            + "p99 \(Int(p99)) µs, generator \((busyNanoseconds - busy) / 10_000_000) % busy"
    }
}

import CPacketIO
import NetPrimitives
import PacketIO
import TURNBench

/// Makes the flows: as many clients as allocations, at most `window` of them at a time in conversation with the server.
struct Setup {
    /// Clients that wait for an answer at a time.
    static let window = 64
    /// A request is sent again after this long, so often.
    static let retryNanoseconds: UInt64 = 500_000_000
    static let tryLimit = 8

    let plan: LoadPlan
    let peer: Endpoint
    /// Told now and then how many are ready.
    let progress: (Int) -> Void

    /// Brings every flow to where it can relay; throws at the first refusal.
    func run(_ flows: [ClientFlow]) throws {
        var poller = try Poller(capacity: 256)
        for flow in flows {
            try poller.add(flow.socket.descriptor.rawValue, as: SocketID(slot: flow.number, generation: 0))
        }
        var generator = SystemRandomNumberGenerator()
        var next = 0
        var waiting: [ClientFlow] = []
        var ready = 0
        while ready < flows.count {
            while next < flows.count, waiting.count < Self.window {
                begin(flows[next], &generator)
                waiting.append(flows[next])
                next += 1
            }
            let count = try poller.wait(timeoutMilliseconds: 20)
            for index in 0..<count { try hear(flows[Int(poller.ready(at: index).slot)], &generator) }
            waiting.removeAll { isReady($0) }
            let readyNow = next - waiting.count
            if readyNow / 1000 != ready / 1000 { progress(readyNow) }
            ready = readyNow
            if count == 0 { try retry(waiting) }
        }
    }

    private func isReady(_ flow: ClientFlow) -> Bool {
        plan.speech == .floor ? flow.relayed != nil : flow.session.phase == .ready
    }

    private func begin(_ flow: ClientFlow, _ generator: inout SystemRandomNumberGenerator) {
        if plan.speech == .turn { flow.session.start(using: &generator) }
        flow.send(request(of: flow), now: SystemClock.now())
    }

    private func request(of flow: ClientFlow) -> [UInt8] {
        plan.speech == .turn ? flow.session.pending : FloorMessage(flow: flow.number, endpoint: peer).bytes
    }

    private func retry(_ waiting: [ClientFlow]) throws {
        let now = SystemClock.now()
        for flow in waiting where now.nanoseconds &- flow.lastSent.nanoseconds > Self.retryNanoseconds {
            guard flow.tries < Self.tryLimit else {
                let requests = "\(Self.tryLimit) requests of client \(flow.number)"
                throw BenchFailure("\(plan.target) does not answer (\(requests))")
            }
            flow.send(request(of: flow), now: now)
        }
    }

    private func hear(_ flow: ClientFlow, _ generator: inout SystemRandomNumberGenerator) throws {
        while let bytes = Self.receive(flow.socket.descriptor.rawValue) {
            // SAFETY: bytes have no padding.
            let span = unsafe bytes.span.bytes
            if plan.speech == .floor {
                if let answer = FloorMessage(parsing: span) { flow.relayed = answer.endpoint }
                continue
            }
            let mustSend = flow.session.receive(span, using: &generator)
            if case .failed(let reason) = flow.session.phase {
                throw BenchFailure("client \(flow.number) was refused: \(reason)")
            }
            flow.tries = 0
            if mustSend { flow.send(flow.session.pending, now: SystemClock.now()) }
            if flow.session.phase == .ready { flow.relayed = flow.session.relayed }
        }
    }

    /// One datagram; nil if none waits.
    static func receive(_ descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 2048)
        // SAFETY: the array has as many bytes as it says.
        let result = unsafe bytes.withUnsafeMutableBytes {
            unsafe packet_receive_one(descriptor, $0.baseAddress, $0.count)
        }
        guard result.error == 0 else { return nil }
        bytes.removeLast(bytes.count - Int(result.value))
        return bytes
    }
}

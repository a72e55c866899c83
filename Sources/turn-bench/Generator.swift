import BenchCore
import CPacketIO
import Glibc
import NetPrimitives
import PacketIO
import TURNBench

// SAFETY: @safe because the arrays below are its own, freed with it, and reached at flow numbers below `flowCount`.
/// The load itself: one thread that sends what is due, reads what came, and never sleeps, so that neither its own timers
/// nor being woken up colour what it measures.
@safe
struct Generator: ~Copyable {
    let plan: LoadPlan
    private let flows: [ClientFlow]
    private let flowCount: Int
    private let peer: UDPSocket
    private var poller: Poller
    private var received: ReceiveVector
    private var outgoing: SendVector
    private var random = SystemRandomNumberGenerator()

    private let prefixByteCount: Int
    private let upByteCount: Int
    /// By flow: what stands before a payload of the client's, its socket, and where the peer sends.
    private let prefixes: UnsafeMutableRawPointer
    private let descriptors: UnsafeMutablePointer<Int32>
    private let names: UnsafeMutablePointer<packet_sockaddr>

    /// Bursts handed out so far, by direction: they are the numbers of the payloads, too.
    private var upBursts = 0
    private var downBursts = 0
    var up: LoadTotals
    var down: LoadTotals
    /// Nanoseconds in rounds of the loop that sent or read something.
    private(set) var busyNanoseconds: UInt64 = 0
    /// The flow whose allocation is looked at next, whether it is to be renewed.
    private var renewalCursor = 0
    private var nextRenewal: Instant

    /// After so long, allocations and permissions are renewed (the latter end after 300 s).
    private static let renewalNanoseconds: UInt64 = 200_000_000_000
    /// Bursts sent in one round of the loop at most, so that reading is never far away.
    private static let burstsPerRound = 64
    /// Client sockets read in one round.
    private static let readyPerRound = 64

    /// A generator over flows that are set up.
    init(plan: LoadPlan, flows: [ClientFlow], peer: consuming UDPSocket) throws {
        let poller = try Poller(capacity: Self.readyPerRound)
        for flow in flows {
            guard flow.relayed != nil else { throw BenchFailure("client \(flow.number) has no relayed address") }
            try poller.add(flow.socket.descriptor.rawValue, as: SocketID(slot: flow.number, generation: 0))
        }
        self.poller = poller
        self.plan = plan
        self.flows = flows
        flowCount = flows.count
        received = ReceiveVector(joins: plan.usesSegmentation)
        let shape = Wrapping.towardsServer(
            plan.speech,
            plan.mode,
            flow: 0,
            peer: peer.endpoint,
            payloadByteCount: plan.payloadByteCount
        )
        prefixByteCount = shape.prefix.count
        upByteCount = shape.prefix.count + plan.payloadByteCount + shape.paddingByteCount
        outgoing = SendVector(packetByteCount: upByteCount)
        // SAFETY: one entry for each flow, written below; freed in deinit.
        let prefixes = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, flows.count * shape.prefix.count),
            alignment: 16
        )
        let descriptors = UnsafeMutablePointer<Int32>.allocate(capacity: flows.count)
        let names = UnsafeMutablePointer<packet_sockaddr>.allocate(capacity: flows.count)
        for flow in flows {
            let index = Int(flow.number)
            let prefix = Wrapping.towardsServer(
                plan.speech,
                plan.mode,
                flow: flow.number,
                peer: peer.endpoint,
                payloadByteCount: plan.payloadByteCount
            ).prefix
            unsafe prefix.withUnsafeBytes { bytes in
                let place = unsafe prefixes + index * bytes.count
                unsafe UnsafeMutableRawBufferPointer(start: place, count: bytes.count).copyMemory(from: bytes)
            }
            unsafe descriptors[index] = flow.socket.descriptor.rawValue
            unsafe names[index] = packet_sockaddr()
            guard let relayed = flow.relayed else { preconditionFailure("looked at above") }
            _ = unsafe packet_sockaddr_store(names + index, relayed.coded)
        }
        unsafe self.prefixes = unsafe prefixes
        unsafe self.descriptors = unsafe descriptors
        unsafe self.names = unsafe names
        self.peer = peer
        let now = SystemClock.now()
        up = LoadTotals(flowCount: flows.count, begin: now)
        down = up
        nextRenewal = Instant(nanoseconds: now.nanoseconds &+ Self.renewalNanoseconds)
    }

    deinit {
        // SAFETY: allocated in init, trivial contents, used by nobody after this.
        unsafe prefixes.deallocate()
        unsafe descriptors.deallocate()
        unsafe names.deallocate()
    }

    /// Forgets what was counted so far: what was due before `begin` counts for nothing.
    mutating func startCounting(at begin: Instant) {
        up = LoadTotals(flowCount: flowCount, begin: begin)
        down = up
        busyNanoseconds = 0
    }

    /// Sends and reads until `end`, then only reads until `drainEnd`; `tell` is called once a second.
    mutating func run(until end: Instant, tell: (inout Generator, Double) -> Void) {
        let begin = SystemClock.now()
        let pacer = plan.packetsPerSecond.map { Pacer(perSecond: $0 / Double(plan.burst), start: begin) }
        let firstUp = upBursts
        let firstDown = downBursts
        var nextTell = begin.advanced(bySeconds: 1)
        var now = begin
        while now < end {
            var worked = false
            if plan.direction.hasUp { worked = sendUp(pacer, from: firstUp, now: now) }
            if plan.direction.hasDown { worked = sendDown(pacer, from: firstDown, now: now) || worked }
            worked = receiveAll() || worked
            let later = SystemClock.now()
            if worked { busyNanoseconds &+= later.nanoseconds &- now.nanoseconds }
            now = later
            if now >= nextTell {
                tell(&self, Double(now.nanoseconds &- begin.nanoseconds) / 1e9)
                nextTell = nextTell.advanced(bySeconds: 1)
            }
            if now >= nextRenewal { renewNext(now) }
        }
    }

    /// Reads what is still on its way.
    mutating func drain(nanoseconds: UInt64) {
        let end = SystemClock.now().nanoseconds &+ nanoseconds
        while SystemClock.now().nanoseconds < end { _ = receiveAll() }
    }

    /// Gives the allocations back; nobody waits for the answers.
    mutating func endAllocations() {
        guard plan.speech == .turn else { return }
        let now = SystemClock.now()
        for flow in flows {
            flow.session.end(using: &random)
            flow.send(flow.session.pending, now: now)
        }
    }

    // MARK: Sending

    /// Which bursts are to be sent now.
    @inline(__always)
    private func due(_ pacer: Pacer?, _ sent: Int, now: Instant) -> Int {
        guard let pacer else { return Self.burstsPerRound }
        return min(pacer.dueCount(at: now) - sent, Self.burstsPerRound)
    }

    private mutating func sendUp(_ pacer: Pacer?, from first: Int, now: Instant) -> Bool {
        let count = due(pacer, upBursts - first, now: now)
        guard count > 0 else { return false }
        for _ in 0..<count {
            let flow = upBursts % flowCount
            let due = pacer?.due(upBursts - first) ?? now
            add(flow, number: upBursts / flowCount, due: due, isUp: true)
            unsafe outgoing.seal(last: plan.burst, to: nil, cutAt: plan.usesSegmentation ? upByteCount : nil)
            // SAFETY: a number below `flowCount`.
            up.sent += UInt64(outgoing.send(by: unsafe descriptors[flow]))
            upBursts += 1
        }
        return true
    }

    private mutating func sendDown(_ pacer: Pacer?, from first: Int, now: Instant) -> Bool {
        let count = due(pacer, downBursts - first, now: now)
        guard count > 0 else { return false }
        let descriptor = peer.descriptor.rawValue
        for _ in 0..<count {
            if !outgoing.hasRoom(for: plan.burst) { down.sent += UInt64(outgoing.send(by: descriptor)) }
            let flow = downBursts % flowCount
            let due = pacer?.due(downBursts - first) ?? now
            add(flow, number: downBursts / flowCount, due: due, isUp: false)
            // SAFETY: a number below `flowCount`.
            let name = unsafe names + flow
            unsafe outgoing.seal(last: plan.burst, to: name, cutAt: plan.usesSegmentation ? plan.payloadByteCount : nil)
            downBursts += 1
        }
        down.sent += UInt64(outgoing.send(by: descriptor))
        return true
    }

    /// Writes a burst of one flow.
    @inline(__always)
    private mutating func add(_ flow: Int, number: Int, due: Instant, isUp: Bool) {
        for index in 0..<plan.burst {
            let stamp = PayloadStamp(
                flow: UInt32(truncatingIfNeeded: flow),
                sequence: UInt64(truncatingIfNeeded: number * plan.burst + index),
                due: due
            )
            // SAFETY: the prefix of a number below `flowCount`; the down way has none.
            let prefix = unsafe UnsafeRawBufferPointer(
                start: prefixes + flow * prefixByteCount,
                count: isUp ? prefixByteCount : 0
            )
            unsafe outgoing.add(prefix: prefix, stamp, byteCount: isUp ? upByteCount : plan.payloadByteCount)
        }
    }

    // MARK: Receiving

    /// Reads what waits at the peer and at the clients; answers whether anything did.
    private mutating func receiveAll() -> Bool {
        var worked = false
        if plan.direction.hasUp {
            let count = received.receive(from: peer.descriptor.rawValue, limit: ReceiveVector.capacity)
            if count > 0 {
                worked = true
                let now = SystemClock.now()
                for index in 0..<count {
                    let length = received.byteCount(of: index)
                    let step = received.packetByteCount(of: index)
                    for offset in stride(from: 0, to: length, by: step) {
                        let stamp = received.stamp(of: index, at: offset, byteCount: min(step, length - offset))
                        if let stamp { up.take(stamp, now: now) }
                    }
                }
            }
        }
        guard plan.direction.hasDown || renewalCursor > 0 else { return worked }
        // A poller fails only for a descriptor that is none.
        let ready = (try? poller.wait(timeoutMilliseconds: 0)) ?? 0
        for index in 0..<ready { receiveFromServer(Int(poller.ready(at: index).slot)) }
        return worked || ready > 0
    }

    private mutating func receiveFromServer(_ flow: Int) {
        // SAFETY: the poller knows numbers below `flowCount` alone.
        let descriptor = unsafe descriptors[flow]
        // Most of the time it is one packet, or one burst; for what is left the poller reports the socket again.
        let count = received.receive(from: descriptor, limit: min(plan.burst, ReceiveVector.capacity))
        guard count > 0 else { return }
        let now = SystemClock.now()
        for index in 0..<count {
            let length = received.byteCount(of: index)
            let step = received.packetByteCount(of: index)
            for offset in stride(from: 0, to: length, by: step) {
                let byteCount = min(step, length - offset)
                let (stamp, message) = received.fromServer(of: index, at: offset, byteCount: byteCount, plan.speech)
                if let stamp {
                    down.take(stamp, now: now)
                } else if let message, plan.speech == .turn {
                    hear(flows[flow], message, now: now)
                }
            }
        }
    }

    // MARK: Renewing

    /// One flow at a time, so that renewals of many do not come all at once.
    private mutating func renewNext(_ now: Instant) {
        guard plan.speech == .turn else { return nextRenewal = Instant(nanoseconds: .max) }
        let flow = flows[renewalCursor % flowCount]
        renewalCursor += 1
        let isRound = renewalCursor % flowCount == 0
        let step = isRound ? Self.renewalNanoseconds : 1_000_000
        nextRenewal = Instant(nanoseconds: now.nanoseconds &+ step)
        // Does nothing where the last renewal is still unanswered; its request is then sent again.
        flow.session.renew(using: &random)
        flow.send(flow.session.pending, now: now)
    }

    private mutating func hear(_ flow: ClientFlow, _ message: [UInt8], now: Instant) {
        // SAFETY: bytes have no padding.
        let mustSend = flow.session.receive(unsafe message.span.bytes, using: &random)
        if mustSend { flow.send(flow.session.pending, now: now) }
    }
}

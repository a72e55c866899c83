import NetPrimitives
import PacketIO
import STUNCore
import TURNRelay

extension RelayShard {
    /// Serves until it is drained.
    mutating func run() throws(SystemError) {
        while !isDrained() {
            let ready = try poller.wait(timeoutMilliseconds: millisecondsToWait)
            now = SystemClock.now()
            unixSeconds = SystemClock.unixSeconds()
            let before = receiver.messageCount
            pass(over: ready)
            let end = SystemClock.now()
            let look = pacer.nextLook(after: receiver.messageCount &- before, passFrom: now, to: end)
            // The pass itself takes its part of the wait, and all of it when there is much to do.
            if let look, end < look { SystemClock.sleep(until: look) }
        }
        endRemaining()
    }

    /// Draining, and nothing left to wait for in any shard or no time. What all shards share is looked at when this one
    /// has closed something, and else now and then.
    ///
    /// A shard that has nothing left of its own stays: with its listeners gone, the kernel would choose anew among the
    /// remaining ones, and the clients of other shards would reach shards that do not know them.
    private mutating func isDrained() -> Bool {
        guard let drainDeadline else { return false }
        if now >= drainDeadline { return true }
        guard now >= nextDrainLook else { return false }
        nextDrainLook = Instant(nanoseconds: now.nanoseconds &+ Bounds.drainNanoseconds)
        return registry.isEmpty
    }

    /// Until the next sweep or, while draining, the next look at whether it is over and the end of its time; rounded up so
    /// that the wait does not end just before it.
    private var millisecondsToWait: Int32 {
        let next = drainDeadline.map { min($0, nextDrainLook, nextSweep) } ?? nextSweep
        guard next > now else { return 0 }
        return Int32(clamping: (next.nanoseconds &- now.nanoseconds) / 1_000_000 &+ 1)
    }

    /// Listeners first, then the relay sockets that have something, then out with everything in as few calls as the
    /// kernel allows; sockets close only after that.
    private mutating func pass(over ready: Int) {
        passNumber &+= 1
        var isBellRinging = false
        var isICMPWaiting = false
        for index in 0..<ready {
            let socket = poller.ready(at: index)
            if Int(socket.slot) < sockets.listenerCount {
                receiveFromClients(by: socket)
            } else if socket == RelayShard.bell {
                isBellRinging = true
            } else if ICMPSource.isIdentifier(socket) {
                isICMPWaiting = true
            }
        }
        for index in 0..<ready {
            let socket = poller.ready(at: index)
            // The bell and the ICMP sources are none of the table's and are passed over there.
            guard Int(socket.slot) >= sockets.listenerCount else { continue }
            receiveFromPeers(by: socket)
        }
        if now >= nextSweep { sweep() }
        if isICMPWaiting { receiveICMP() }
        if isBellRinging { obeyOrders() }
        sendAndReuseSlots()
        closeRelays()
        counts.add(.passes)
        counts.publish(to: shared)
    }

    /// Looks at a part of the allocations: once a second, more often when there are so many that a round would take too
    /// long, and again in the next pass when there was more to close than one pass may.
    private mutating func sweep() {
        let isDone = turn.sweep(now: now, limit: Bounds.sweep, into: &effects)
        applyEffects()
        let partsOfRound = UInt64(turn.sweepSpan / Bounds.sweep + 1)
        let nanoseconds = min(1_000_000_000, Bounds.sweepRoundSeconds * 1_000_000_000 / partsOfRound)
        nextSweep = isDone ? Instant(nanoseconds: now.nanoseconds &+ nanoseconds) : now
        guard now >= nextReport else { return }
        nextReport = now.advanced(bySeconds: 1)
        reportTraffic()
    }

    private mutating func receiveFromClients(by socket: SocketID) {
        guard let descriptor = sockets.descriptor(of: socket) else { return }
        var taken = 0
        while taken < Bounds.datagramsPerListener {
            if ring.free < Bounds.receive { sendAndReuseSlots() }
            let (count, isFilled) = receiver.receive(from: descriptor, limit: Bounds.receive, into: &ring)
            for index in 0..<count {
                take(receiver.datagram(at: index), fromClientBy: socket)
            }
            guard isFilled else { break }
            // What was too large to be taken in cost a read as well.
            taken &+= max(count, Bounds.receive)
        }
    }

    private mutating func take(_ datagram: ReceivedDatagram, fromClientBy socket: SocketID) {
        counts.add(.clientDatagrams)
        counts.add(.clientBytes, UInt64(truncatingIfNeeded: datagram.byteCount))
        let flow = Flow(client: datagram.source, socket: socket, transport: .udp)
        switch turn.route(datagram, in: ring, from: flow, now: now) {
        case .forward(let forward):
            let bytes = Int(forward.payloadCount)
            guard mayRelay(forward), append(forward, of: datagram) else { return }
            counts.add(.datagramsToPeers)
            counts.add(.bytesToPeers, UInt64(truncatingIfNeeded: bytes))
            meters.countToPeer(forward.meter, bytes: bytes)
        case .control:
            counts.add(.controlMessages)
            turn.handle(datagram, in: ring, from: flow, now: now, unixSeconds: unixSeconds, into: &effects)
            applyEffects()
        case .drop(let reason):
            counts.add(reason)
        }
    }

    private mutating func receiveFromPeers(by socket: SocketID) {
        guard let descriptor = sockets.descriptor(of: socket) else { return }
        let burst = sockets.burst(of: socket)
        if ring.free < Int(burst.size) { sendAndReuseSlots() }
        let (count, isFilled) =
            burst.isJoining
            ? receiver.receive(from: descriptor, limit: Int(burst.size), into: &ring)
            : receiver.receiveOne(from: descriptor, into: &ring)
        sockets.noteRead(of: socket, isFilled: isFilled, pass: passNumber, limit: Bounds.relayBurst)
        for index in 0..<count {
            take(receiver.datagram(at: index), fromPeerBy: socket)
        }
    }

    private mutating func take(_ datagram: ReceivedDatagram, fromPeerBy socket: SocketID) {
        counts.add(.peerDatagrams)
        counts.add(.peerBytes, UInt64(truncatingIfNeeded: datagram.byteCount))
        switch turn.routePeer(byteCount: datagram.byteCount, from: datagram.source, on: socket, now: now) {
        case .forward(let forward):
            let bytes = Int(forward.payloadCount)
            guard mayRelay(forward), append(forward, of: datagram) else { return }
            counts.add(.datagramsToClients)
            counts.add(.bytesToClients, UInt64(truncatingIfNeeded: bytes))
            meters.countToClient(forward.meter, bytes: bytes)
        case .control:
            preconditionFailure("a peer's datagram is never a message to the server")
        case .drop(let reason):
            counts.add(reason)
        }
    }

    /// Whether bandwidth is left for a payload; takes it. What goes beyond is a counted drop and never waits.
    private mutating func mayRelay(_ forward: Forward) -> Bool {
        let bytes = Int(forward.payloadCount)
        let family = forward.destination.address.family
        guard let reason = meters.spend(bytes, over: family, of: forward.meter, now: now) else { return true }
        counts.add(reason)
        return false
    }

    /// Puts a payload into the batch, behind the header that its framing asks for.
    private mutating func append(_ forward: Forward, of datagram: ReceivedDatagram) -> Bool {
        guard let descriptor = sockets.descriptor(of: forward.socket) else {
            counts.add(DropReason.unknownRelay)
            return false
        }
        if batch.isFull { send() }
        let transaction = forward.framing.isIndication ? randomBytes.nextTransaction() : TransactionID(high: 0, low: 0)
        batch.append(forward, of: datagram, in: &ring, transaction: transaction, descriptor: descriptor)
        return true
    }

    /// Sends what waits. The receive slots stay as they are: datagrams of the last receive may still be unread, and what
    /// is made of them next would point into slots that were given out again.
    mutating func send() {
        let report = batch.flush()
        counts.add(.sent, report.sent)
        counts.add(.sendBlocked, report.blocked)
        counts.add(.sendRefused, report.refused)
        counts.add(.sendTooLarge, report.tooLarge)
        counts.add(.sendCalls, report.calls)
    }

    /// Sends what waits and takes all receive slots back: only when everything received has been dealt with.
    mutating func sendAndReuseSlots() {
        send()
        ring.reuse(after: batch)
        counts.add(.truncated, receiver.takeTruncatedCount())
    }
}

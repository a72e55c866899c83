import BenchCore
import CallBench
import NIOCore
import NetPrimitives

/// Candidates from every seat to the one across, by the clock or as fast as they are acknowledged. Lives on one event loop.
final class EventLoad {
    /// One socket in its call.
    private struct Seat {
        let handler: SocketHandler
        let prefix: String
        var sent: UInt64 = 0
        var ledger = SignalLedger()
    }

    private let loop: any EventLoop
    private var seats: [Seat] = []
    private var nextSeat = 0
    private var pacer: Pacer?
    private var paced = 0
    private var begin = Instant(nanoseconds: .max)
    private var end = Instant(nanoseconds: 0)
    private(set) var totals = EventTotals()

    init(loop: any EventLoop) { self.loop = loop }

    /// Takes in a socket that has joined `callID`.
    func add(_ handler: SocketHandler, callID: String) {
        let number = seats.count
        seats.append(Seat(handler: handler, prefix: "{\"callId\":\"\(callID)\",\"candidate\":"))
        handler.onEvent = { [weak self] name, payload in
            guard name == "ice-candidate", let stamp = SignalStamp(in: payload) else { return false }
            self?.hear(stamp, at: number)
            return true
        }
    }

    /// Sends by the clock; what is due from `begin` to `end` is counted.
    func run(perSecond: Double, from start: Instant, measuring begin: Instant, until end: Instant) {
        (self.begin, self.end) = (begin, end)
        pacer = Pacer(perSecond: perSecond, start: start)
        paced = 0
        tick()
    }

    /// Keeps `inFlight` events under way; those sent from `begin` to `end` are counted.
    func run(inFlight: Int, measuring begin: Instant, until end: Instant) {
        (self.begin, self.end) = (begin, end)
        for _ in 0..<inFlight { sendNext() }
    }

    static func now() -> Instant { Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds) }

    private func tick() {
        guard let pacer else { return }
        let now = Self.now()
        guard now < end else { return }
        let due = pacer.dueCount(at: now)
        let first = nextSeat
        let count = due - paced
        while paced < due {
            send(due: pacer.due(paced), flush: false)
            paced += 1
        }
        for offset in 0..<min(count, seats.count) { seats[(first + offset) % seats.count].handler.flush() }
        loop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(pacer.due(paced).nanoseconds)) { [self] in
            tick()
        }
    }

    private func sendNext() {
        let now = Self.now()
        guard now < end else { return }
        send(due: now, flush: true) { [self] in sendNext() }
    }

    private func send(due: Instant, flush: Bool, then next: (() -> Void)? = nil) {
        let number = nextSeat
        nextSeat = (nextSeat + 1) % seats.count
        let stamp = SignalStamp(number: seats[number].sent, due: due)
        seats[number].sent += 1
        let isCounted = due >= begin && due < end
        if isCounted { totals.sent += 1 }
        seats[number].handler.emit("ice-candidate", seats[number].prefix + stamp.candidate + "}", flush: flush) {
            [self] answer in
            if isCounted { count(answer, due: due) }
            next?()
        }
    }

    private func count(_ answer: String, due: Instant) {
        if answer.hasPrefix(#"{"ok":true"#) {
            totals.acknowledged += 1
            let now = Self.now()
            totals.acknowledgementLatency.record(nanoseconds: now > due ? now.nanoseconds - due.nanoseconds : 0)
        } else {
            totals.refused += 1
        }
    }

    private func hear(_ stamp: SignalStamp, at number: Int) {
        let isNew = seats[number].ledger.take(stamp.number)
        guard stamp.due >= begin, stamp.due < end else { return }
        guard isNew else {
            totals.misplaced += 1
            return
        }
        totals.delivered += 1
        let now = Self.now()
        totals.deliveryLatency.record(nanoseconds: now > stamp.due ? now.nanoseconds - stamp.due.nanoseconds : 0)
    }
}

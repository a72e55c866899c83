import Glibc
import TestSupport

/// Plays the calls of a load on its relays in virtual time, with the server's own rule for which relays a call is told of.
///
/// All calls that are on at the beginning are placed at once; what comes of that is not counted. Then comes the time that
/// counts, then a relay dies, and the time after that counts for itself.
struct FleetSimulation {
    static let settleSeconds = 120
    static let steadySeconds = 180
    static let afterSeconds = 60

    private struct Call {
        var first: Int32 = -1
        var second: Int32 = -1
        /// Which of the four allocations it has: the caller's at the first and the second relay, then the other side's.
        var holds: UInt8 = 0
        var carrier: Int32 = -1
        var needsRelay = false
    }

    private let traffic: Traffic
    private var fleet: RelayFleet
    private var calendar = Calendar(seconds: Double(settleSeconds + steadySeconds + afterSeconds))
    private var calls: [Call] = []
    private var free: [Int] = []
    private var random: SeededGenerator
    private var withoutRelay = 0
    private var restarted = 0

    init(_ traffic: Traffic, relays: Int, ports: Int, sample: Int, seed: UInt64) {
        self.traffic = traffic
        fleet = RelayFleet(count: relays, ports: ports, sample: sample)
        random = SeededGenerator(seed: seed)
        calls.reserveCapacity(traffic.calls * 2)
    }

    /// Plays it; `show` is told what is being done, now and then.
    mutating func play(_ show: (_ second: Int, _ of: Int) -> Void) -> FleetFigures {
        let ticksPerSecond = Int(Calendar.ticksPerSecond)
        for _ in 0..<traffic.calls {
            let call = begin(at: 0, isRinging: false)
            answer(call, at: 0)
        }
        var next = exponential(1 / traffic.startedPerSecond)
        var steady: FleetFigures.Phase?
        for tick in 0..<calendar.count {
            let second = tick / ticksPerSecond
            if tick % ticksPerSecond == 0 {
                fleet.countSecond()
                show(second, calendar.count / ticksPerSecond)
                if second == Self.settleSeconds { forget() }
                if second == Self.settleSeconds + Self.steadySeconds {
                    steady = phase(seconds: Self.steadySeconds)
                    forget()
                    killBusiest(at: tick)
                }
            }
            fleet.gossip(tick)
            for (happening, call) in calendar.take(tick) {
                switch happening {
                case .answer: answer(call, at: tick)
                case .end: end(call)
                case .restart: restart(call)
                }
            }
            while next * Calendar.ticksPerSecond < Double(tick + 1) {
                _ = begin(at: tick, isRinging: true)
                next += exponential(1 / traffic.startedPerSecond)
            }
        }
        let after = phase(seconds: Self.afterSeconds)
        return FleetFigures(relays: fleet.relays.count, steady: steady ?? after, after: after, restarted: restarted)
    }

    private mutating func begin(at tick: Int, isRinging: Bool) -> Int {
        let call = free.popLast() ?? calls.count
        if call == calls.count { calls.append(Call()) }
        calls[call] = Call()
        tell(call)
        hold(call, side: 0)
        guard isRinging else { return call }
        let isAnswered = Double.random(in: 0..<1, using: &random) < traffic.answeredShare
        calendar.note(isAnswered ? .answer : .end, call: call, exponential(traffic.ringSeconds), after: tick)
        return call
    }

    private mutating func answer(_ call: Int, at tick: Int) {
        hold(call, side: 1)
        calls[call].needsRelay = Double.random(in: 0..<1, using: &random) < traffic.relayedShare
        if calls[call].needsRelay { carry(call) }
        calendar.note(.end, call: call, exponential(traffic.holdSeconds), after: tick)
    }

    private mutating func end(_ call: Int) {
        release(call)
        free.append(call)
    }

    /// ICE is restarted with the relays that are there now.
    private mutating func restart(_ call: Int) {
        // It may have ended, and another one have its place.
        guard calls[call].needsRelay, calls[call].carrier < 0, calls[call].first >= 0 else { return }
        release(call)
        tell(call)
        hold(call, side: 0)
        hold(call, side: 1)
        carry(call)
        restarted += 1
    }

    private mutating func tell(_ call: Int) {
        let server = Int.random(in: 0..<64, using: &random)
        let (first, second) = fleet.choose(for: String(random.next(), radix: 36), server: server)
        calls[call].first = Int32(first)
        calls[call].second = Int32(second)
    }

    /// One side asks both relays.
    private mutating func hold(_ call: Int, side: Int) {
        for (place, relay) in [calls[call].first, calls[call].second].enumerated() where fleet.allocate(Int(relay)) {
            calls[call].holds |= 1 << UInt8(side * 2 + place)
        }
    }

    /// Media goes through a relay at which a side has an allocation, the first one before the second.
    private mutating func carry(_ call: Int) {
        let holds = calls[call].holds
        if holds & 0b0101 != 0 {
            calls[call].carrier = calls[call].first
        } else if holds & 0b1010 != 0 {
            calls[call].carrier = calls[call].second
        } else {
            withoutRelay += 1
            return
        }
        fleet.carry(Int(calls[call].carrier), 1)
    }

    private mutating func release(_ call: Int) {
        for place in 0..<4 where calls[call].holds & (1 << UInt8(place)) != 0 {
            fleet.release(Int(place % 2 == 0 ? calls[call].first : calls[call].second))
        }
        if calls[call].carrier >= 0 { fleet.carry(Int(calls[call].carrier), -1) }
        calls[call].holds = 0
        calls[call].carrier = -1
        calls[call].first = -1
        calls[call].second = -1
    }

    /// Clients that were relayed by it notice, and are told of other relays when its time is over.
    private mutating func killBusiest(at tick: Int) {
        guard let busiest = fleet.relays.indices.max(by: { fleet.relays[$0].carried < fleet.relays[$1].carried }) else {
            return
        }
        fleet.kill(busiest)
        for call in calls.indices where calls[call].holds != 0 {
            if calls[call].first == Int32(busiest) { calls[call].holds &= 0b1010 }
            if calls[call].second == Int32(busiest) { calls[call].holds &= 0b0101 }
            guard calls[call].carrier == Int32(busiest) else { continue }
            calls[call].carrier = -1
            let wait = RelayFleet.lifetimeSeconds + Double.random(in: 0..<4, using: &random)
            calendar.note(.restart, call: call, wait, after: tick)
        }
    }

    private mutating func forget() {
        fleet.forgetPeaks()
        withoutRelay = 0
    }

    private func phase(seconds: Int) -> FleetFigures.Phase {
        FleetFigures.Phase(fleet.relays, seconds: seconds, withoutRelay: withoutRelay)
    }

    private mutating func exponential(_ mean: Double) -> Double {
        -mean * log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random))
    }
}

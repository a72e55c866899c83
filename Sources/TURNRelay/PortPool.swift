internal import NetPrimitives

/// The ports of one address: free, resting, held, or reserved for a token. Everything takes constant time but the drawing
/// of a pair when no two neighbours are free, which passes over the pairs that the same search has rejected.
struct PortPool: Sendable {
    fileprivate enum State: UInt8, Sendable {
        case free, resting, held, reserved
    }

    private struct Port: Sendable {
        var state = State.held
        var restedUntil = Instant(nanoseconds: 0)
        /// The search that could not bind it last.
        var rejectedBy: UInt64 = 0
    }

    fileprivate struct Half: Sendable {
        var free: PortSet
        var resting: RestQueue
    }

    private let range: ClosedRange<UInt16>
    private var ports: [Port]
    private var even: Half
    private var odd: Half
    /// Even ports that are free together with the next one.
    private var freePairs: PortSet
    /// Even ports that nobody holds, nor the next one: `freePairs` and those of which one rests.
    private var idlePairs: PortSet

    init(_ range: ClosedRange<UInt16>) {
        self.range = range
        ports = [Port](repeating: Port(), count: range.count)
        let half = Half(free: PortSet(rangeCount: range.count), resting: RestQueue(rangeCount: range.count))
        even = half
        odd = half
        freePairs = PortSet(rangeCount: range.count)
        idlePairs = freePairs
        for port in range { move(port, to: .free) }
    }

    /// Takes a random free port; if none is free, the one that has rested longest and that this search has not rejected.
    mutating func draw(
        isEven: Bool,
        search: UInt64,
        now: Instant,
        random: inout some RandomNumberGenerator
    ) -> UInt16? {
        wake(now)
        guard let port = randomFree(isEven: isEven, random: &random) ?? longestRested(isEven: isEven, search: search)
        else { return nil }
        move(port, to: .held)
        return port
    }

    /// Takes an even port and reserves the next one: a random pair of free ones, else a pair that rests and that this
    /// search has not rejected.
    mutating func drawPair(search: UInt64, now: Instant, random: inout some RandomNumberGenerator) -> UInt16? {
        wake(now)
        guard let port = randomPair(random: &random) ?? restingPair(search: search, random: &random) else { return nil }
        move(port, to: .held)
        move(port + 1, to: .reserved)
        return port
    }

    /// Makes a reserved port a held one.
    mutating func redeem(_ port: UInt16) {
        precondition(state(of: port) == .reserved, "a port was redeemed that nobody reserved")
        move(port, to: .held)
    }

    /// Ends the holding, or reservation, of `port` and lets it rest. `search` names the search that could not bind it,
    /// zero if it was used.
    mutating func giveBack(_ port: UInt16, search: UInt64, restedAt: Instant) {
        precondition(
            state(of: port) == .held || state(of: port) == .reserved,
            "a port was given back that nobody holds"
        )
        ports[index(port)].restedUntil = restedAt
        ports[index(port)].rejectedBy = search
        move(port, to: .resting)
    }

    // MARK: Choosing

    private func randomFree(isEven: Bool, random: inout some RandomNumberGenerator) -> UInt16? {
        let count = isEven ? even.free.count : even.free.count + odd.free.count
        guard count > 0 else { return nil }
        let index = Int.random(in: 0..<count, using: &random)
        return port(index < even.free.count ? even.free[index] : odd.free[index - even.free.count])
    }

    /// The ports that a search rejected stand at the end, so meeting one of them at the front means that all were tried.
    private func longestRested(isEven: Bool, search: UInt64) -> UInt16? {
        let candidates = isEven ? [even.resting.first] : [even.resting.first, odd.resting.first]
        return candidates.compactMap(\.self).filter { ports[Int($0)].rejectedBy != search }
            .min { ports[Int($0)].restedUntil < ports[Int($1)].restedUntil }
            .map(port)
    }

    private func randomPair(random: inout some RandomNumberGenerator) -> UInt16? {
        guard freePairs.count > 0 else { return nil }
        return port(freePairs[Int.random(in: 0..<freePairs.count, using: &random)])
    }

    private func restingPair(search: UInt64, random: inout some RandomNumberGenerator) -> UInt16? {
        guard idlePairs.count > 0 else { return nil }
        let start = Int.random(in: 0..<idlePairs.count, using: &random)
        for step in 0..<idlePairs.count {
            let offset = idlePairs[(start + step) % idlePairs.count]
            let pair = Int(offset)
            if ports[pair].rejectedBy != search, ports[pair + 1].rejectedBy != search { return port(offset) }
        }
        return nil
    }

    // MARK: Bookkeeping

    /// Frees what has rested long enough. Everything rests equally long, so the queues are in the order of waking.
    private mutating func wake(_ now: Instant) {
        while let first = even.resting.first, ports[Int(first)].restedUntil <= now { move(port(first), to: .free) }
        while let first = odd.resting.first, ports[Int(first)].restedUntil <= now { move(port(first), to: .free) }
    }

    private mutating func move(_ port: UInt16, to state: State) {
        let offset = UInt16(index(port))
        if port.isMultiple(of: 2) {
            even.move(offset, from: ports[Int(offset)].state, to: state)
        } else {
            odd.move(offset, from: ports[Int(offset)].state, to: state)
        }
        ports[Int(offset)].state = state
        updatePair(of: port)
    }

    private mutating func updatePair(of port: UInt16) {
        let first = port & ~1
        guard range.contains(first), range.contains(first + 1) else { return }
        let offset = UInt16(index(first))
        let states = (state(of: first), state(of: first + 1))
        let isFree = states == (.free, .free)
        let isIdle = [.free, .resting].contains(states.0) && [.free, .resting].contains(states.1)
        if isFree { freePairs.insert(offset) } else { freePairs.remove(offset) }
        if isIdle { idlePairs.insert(offset) } else { idlePairs.remove(offset) }
    }

    private func state(of port: UInt16) -> State? { range.contains(port) ? ports[index(port)].state : nil }

    private func index(_ port: UInt16) -> Int { Int(port - range.lowerBound) }

    private func port(_ offset: UInt16) -> UInt16 { range.lowerBound + offset }
}

extension PortPool.Half {
    fileprivate mutating func move(_ port: UInt16, from old: PortPool.State, to new: PortPool.State) {
        switch old {
        case .free: free.remove(port)
        case .resting: resting.remove(port)
        case .held, .reserved: break
        }
        switch new {
        case .free: free.insert(port)
        case .resting: resting.append(port)
        case .held, .reserved: break
        }
    }
}

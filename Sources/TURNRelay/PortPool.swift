internal import NetPrimitives

/// The ports of one address: free, resting or held. Drawing and giving back take constant time.
struct PortPool: Sendable {
    private let ports: ClosedRange<UInt16>
    private var even = Half()
    private var odd = Half()
    private var held: [Bool]

    init(_ ports: ClosedRange<UInt16>) {
        self.ports = ports
        held = [Bool](repeating: false, count: ports.count)
        for port in ports {
            if port.isMultiple(of: 2) { even.free.append(port) } else { odd.free.append(port) }
        }
    }

    /// Takes a random free port; if none is free, the one that has rested longest and that this search has not rejected.
    mutating func draw(
        _ parity: PortParity,
        search: UInt64,
        now: Instant,
        random: inout some RandomNumberGenerator
    ) -> UInt16? {
        even.wake(now)
        odd.wake(now)
        guard let port = drawFree(parity, random: &random) ?? drawResting(parity, search: search) else { return nil }
        held[Int(port - ports.lowerBound)] = true
        return port
    }

    /// Ends the holding of `port` and lets it rest. `search` names the search that could not bind it, zero if it was used.
    mutating func giveBack(_ port: UInt16, search: UInt64, restedAt: Instant) {
        precondition(isHeld(port), "a port was given back that nobody holds")
        held[Int(port - ports.lowerBound)] = false
        let resting = Resting(port: port, until: restedAt, search: search)
        if port.isMultiple(of: 2) { even.resting.append(resting) } else { odd.resting.append(resting) }
    }

    func isHeld(_ port: UInt16) -> Bool { ports.contains(port) && held[Int(port - ports.lowerBound)] }

    private mutating func drawFree(_ parity: PortParity, random: inout some RandomNumberGenerator) -> UInt16? {
        let count = parity == .even ? even.free.count : even.free.count + odd.free.count
        guard count > 0 else { return nil }
        let index = Int.random(in: 0..<count, using: &random)
        return index < even.free.count ? even.take(index) : odd.take(index - even.free.count)
    }

    private mutating func drawResting(_ parity: PortParity, search: UInt64) -> UInt16? {
        guard parity == .any, let oldestOdd = odd.resting.first, oldestOdd.search != search else {
            return even.takeRested(search: search)
        }
        guard let oldestEven = even.resting.first, oldestEven.search != search, oldestEven.until <= oldestOdd.until
        else {
            return odd.takeRested(search: search)
        }
        return even.takeRested(search: search)
    }
}

/// A port that was given back.
private struct Resting: Sendable {
    let port: UInt16
    let until: Instant
    let search: UInt64
}

/// The unheld ports of one parity.
private struct Half: Sendable {
    var free: [UInt16] = []
    var resting = RestQueue()

    mutating func take(_ index: Int) -> UInt16 {
        free.swapAt(index, free.count - 1)
        return free.removeLast()
    }

    /// Frees what has rested long enough. Everything rests equally long, so the queue is in the order of waking.
    mutating func wake(_ now: Instant) {
        while let oldest = resting.first, oldest.until <= now {
            free.append(oldest.port)
            resting.removeFirst()
        }
    }

    /// The ports that a search rejected stand at the end, so meeting one of them at the front means that all were tried.
    mutating func takeRested(search: UInt64) -> UInt16? {
        guard let oldest = resting.first, oldest.search != search else { return nil }
        resting.removeFirst()
        return oldest.port
    }
}

/// First in, first out, in an array whose used-up front is cut off when it is the larger part.
private struct RestQueue: Sendable {
    private var items: [Resting] = []
    private var head = 0

    var first: Resting? { head < items.count ? items[head] : nil }

    mutating func append(_ item: Resting) { items.append(item) }

    mutating func removeFirst() {
        head += 1
        if head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
    }
}

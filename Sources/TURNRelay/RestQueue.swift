/// Ports that rest, first in, first out; one may leave from the middle. Ports go by their distance from the range's first.
struct RestQueue: Sendable {
    private static let none = UInt16.max

    private struct Link: Sendable {
        var next = RestQueue.none
        var previous = RestQueue.none
    }

    private var links: [Link]
    private var head = RestQueue.none
    private var tail = RestQueue.none

    /// An empty queue for ports out of a range of `rangeCount`.
    init(rangeCount: Int) {
        precondition(rangeCount <= Int(Self.none), "there are not that many ports")
        links = [Link](repeating: Link(), count: rangeCount)
    }

    /// The port that has rested longest.
    var first: UInt16? { head == Self.none ? nil : head }

    /// Puts a port that is not in the queue at its end.
    mutating func append(_ port: UInt16) {
        links[Int(port)] = Link(next: Self.none, previous: tail)
        if tail == Self.none { head = port } else { links[Int(tail)].next = port }
        tail = port
    }

    /// Takes a port that is in the queue out of it.
    mutating func remove(_ port: UInt16) {
        let link = links[Int(port)]
        if link.previous == Self.none { head = link.next } else { links[Int(link.previous)].next = link.next }
        if link.next == Self.none { tail = link.previous } else { links[Int(link.next)].previous = link.previous }
    }
}

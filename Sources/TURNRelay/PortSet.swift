/// A set of ports of which a random one is found in constant time. Ports go by their distance from the range's first.
struct PortSet: Sendable {
    private static let absent = UInt16.max

    private var members: [UInt16] = []
    /// Where each port stands in `members`.
    private var places: [UInt16]

    /// An empty set of ports out of a range of `rangeCount`.
    init(rangeCount: Int) {
        precondition(rangeCount <= Int(Self.absent), "there are not that many ports")
        places = [UInt16](repeating: Self.absent, count: rangeCount)
    }

    var count: Int { members.count }

    subscript(index: Int) -> UInt16 { members[index] }

    func contains(_ port: UInt16) -> Bool { places[Int(port)] != Self.absent }

    mutating func insert(_ port: UInt16) {
        guard !contains(port) else { return }
        places[Int(port)] = UInt16(members.count)
        members.append(port)
    }

    mutating func remove(_ port: UInt16) {
        let place = places[Int(port)]
        guard place != Self.absent, let last = members.popLast() else { return }
        places[Int(port)] = Self.absent
        guard last != port else { return }
        members[Int(place)] = last
        places[Int(last)] = place
    }
}

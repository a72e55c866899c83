/// A list that hardly ever has more than one element: the first stands in the list itself, memory comes with the second.
struct ShortList<Element>: RandomAccessCollection {
    private var only: Element?
    /// Nothing while there is no first.
    private var others: [Element] = []

    init() {}

    var startIndex: Int { 0 }
    var endIndex: Int { only == nil ? 0 : 1 + others.count }

    subscript(index: Int) -> Element {
        get {
            guard index > 0 else {
                guard let only else { preconditionFailure("an empty list has no element") }
                return only
            }
            return others[index - 1]
        }
        set {
            precondition(indices.contains(index), "no such element")
            if index == 0 { only = newValue } else { others[index - 1] = newValue }
        }
    }

    mutating func append(_ element: Element) {
        if only == nil { only = element } else { others.append(element) }
    }

    mutating func removeAll(where isRemoved: (Element) -> Bool) {
        others.removeAll(where: isRemoved)
        guard let first = only, isRemoved(first) else { return }
        only = others.isEmpty ? nil : others.removeFirst()
    }
}

extension ShortList: Sendable where Element: Sendable {}

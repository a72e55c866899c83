/// What is measured under one name.
public struct MetricFamily: Sendable {
    /// How its numbers move.
    public enum Kind: String, Sendable {
        /// Only up, and from zero again after a start.
        case counter
        /// Up and down.
        case gauge
    }

    /// One number of it.
    public struct Sample: Sendable {
        /// What tells it from others of the family, in this order.
        public let labels: [(name: String, value: String)]
        /// The number.
        public let value: Double

        /// A number under these labels.
        public init(_ value: Double, _ labels: (name: String, value: String)...) {
            self.value = value
            self.labels = labels.map { $0 }
        }
    }

    /// The name, of letters, digits and underscores; counters' end in `_total`.
    public let name: String
    /// How its numbers move.
    public let kind: Kind
    /// One line that says what it is and in which unit.
    public let help: String
    /// Its numbers.
    public let samples: [Sample]

    /// A family of several numbers.
    public init(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }

    /// A family of one number.
    public init(_ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger) {
        self.init(name, kind, help, [Sample(Double(value))])
    }
}

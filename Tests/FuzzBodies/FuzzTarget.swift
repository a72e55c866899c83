import NetPrimitives

/// What can be fuzzed. `run` is the body of a libFuzzer program and of the test that replays the committed corpora.
///
/// A body is a function of its input alone: no clock, no randomness, nothing kept from one run to the next.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// The STUN message: parser, attributes, integrity, gate and builder.
    case message
    /// The ChannelData header and everything else that frames a payload.
    case channeldata
    /// The stream deframer, fed in pieces.
    case deframer
    /// The ICMP error that a raw socket hears.
    case icmp
    /// A relay with several clients over time: datagrams, peers' datagrams, sockets that open or do not.
    case relay

    /// Runs the target on one input. Traps and findings are what the fuzzer looks for.
    public func run(_ bytes: RawSpan) throws(FuzzFinding) {
        switch self {
        case .message: try MessageFuzz.run(bytes)
        case .channeldata: try ChannelDataFuzz.run(bytes)
        case .deframer: try DeframerFuzz.run(bytes)
        case .icmp: try ICMPFuzz.run(bytes)
        case .relay: try RelayFuzz.run(bytes)
        }
    }
}

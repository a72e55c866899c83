/// What people do, in the busy hour. Averages of published traffic differ by much; each can be said on the command line.
struct Traffic: Encodable {
    /// Answered calls that are on at the same time, on average.
    var calls: Int
    /// How long an answered call lasts, on average; the times are distributed exponentially.
    var holdSeconds = 180.0
    /// How long it rings, on average, whether or not it is answered.
    var ringSeconds = 10.0
    /// Of all calls those that are answered.
    var answeredShare = 0.7
    /// Of answered calls those whose media cannot go from one side to the other.
    var relayedShare = 0.2
    /// Of answered calls those with pictures.
    var videoShare = 0.5
    /// Sockets that are connected, for each call that is on: most users are not in a call.
    var socketsPerCall = 20.0
    /// Busy hours that a day is as long as.
    var busyHoursPerDay = 10.0

    /// Calls that begin in a second.
    var startedPerSecond: Double { answeredPerSecond / answeredShare }
    /// Calls that are answered in a second: as many as end, by Little's law.
    var answeredPerSecond: Double { Double(calls) / holdSeconds }
    /// Sockets that are connected.
    var sockets: Double { Double(calls) * socketsPerCall }
    /// Relay allocations: each side asks both relays that it was told of, the caller from the first moment.
    var allocations: Double {
        let perSide = Double(RelayFleet.relaysPerCall)
        return perSide * (2 * Double(calls) + startedPerSecond * ringSeconds)
    }

    /// Datagrams a second that a relay has to pass on for one call, both ways.
    var packetsPerRelayedCall: Double { 2 * (Media.voice.packetsPerSecond + videoShare * Media.video.packetsPerSecond) }
    /// What relays pass on in all, datagrams a second.
    var relayedPackets: Double { Double(calls) * relayedShare * packetsPerRelayedCall }
    /// Bits a second that leave all relays; as many come in.
    var relayedBits: Double {
        2 * Double(calls) * relayedShare * (Media.voice.bitsPerSecond + videoShare * Media.video.bitsPerSecond)
    }
}

/// One direction of one call, as it is on the wire.
struct Media {
    let packetsPerSecond: Double
    let bytesPerPacket: Double

    var bitsPerSecond: Double { packetsPerSecond * bytesPerPacket * 8 }

    /// Opus at 32 kbit/s in packets of 20 ms, with RTP, SRTP, TURN's channel header, UDP and IP.
    static let voice = Media(packetsPerSecond: 50, bytesPerPacket: 80 + 12 + 10 + 4 + 28)
    /// 1.2 Mbit/s of pictures, in packets of 1,200 bytes.
    static let video = Media(packetsPerSecond: 125, bytesPerPacket: 1_200 + 4 + 28)
}

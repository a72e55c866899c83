public import NetPrimitives
internal import Synchronization

// SAFETY: @safe because the memory below is its own, freed with it, and reached through checked indices and ports.
/// At which ports of this server's relay addresses a relay socket is bound right now, in any shard.
///
/// Shared data without a lock: one bit a port, in atomic words that never move. The shell sets a bit when it has bound a
/// socket and clears it before it closes the socket; shards read. Nothing is ordered by it, since every answer may be out
/// of date by the time a datagram leaves, as it may be with a lock.
@safe
public final class LiveRelayPorts: Sendable {
    private static let wordsPerAddress = 65_536 / 64

    /// The relay addresses, as bound and as seen from outside.
    public let addresses: [RelayAddress]
    // SAFETY: allocated once, freed when nobody has the object any more; shared words are accessed atomically alone.
    private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>
    // SAFETY: a copy of `addresses` that the packet path reads without a reference count; written once, in `init`.
    private nonisolated(unsafe) let places: UnsafeMutablePointer<RelayAddress>

    /// No port of `addresses` is live yet. Takes 8 KiB for each address.
    public init(_ addresses: [RelayAddress]) {
        self.addresses = addresses
        let wordCount = addresses.count * Self.wordsPerAddress
        unsafe words = .allocate(capacity: wordCount)
        unsafe places = .allocate(capacity: addresses.count)
        // SAFETY: both blocks are as long as allocated, and written whole before anybody reads them.
        for index in 0..<wordCount { unsafe (words + index).initialize(to: Atomic(0)) }
        for (index, address) in addresses.enumerated() { unsafe (places + index).initialize(to: address) }
    }

    deinit {
        // SAFETY: nobody has a `Reader` without having the object; the contents are trivial but for the atomics.
        unsafe words.deinitialize(count: addresses.count * Self.wordsPerAddress)
        unsafe words.deallocate()
        unsafe places.deallocate()
    }

    /// A relay socket was bound to `endpoint`. An address that is not among `addresses` is nobody's way to a relay.
    public func open(_ endpoint: Endpoint) {
        let bit = UInt64(1) << UInt64(endpoint.port & 63)
        for index in addresses.indices where addresses[index].bound == endpoint.address {
            // SAFETY: the index is below the number of words, since a port has 16 bits.
            unsafe words[index * Self.wordsPerAddress + Int(endpoint.port >> 6)].bitwiseOr(bit, ordering: .relaxed)
        }
    }

    /// The relay socket bound to `endpoint` is about to be closed.
    public func close(_ endpoint: Endpoint) {
        let bit = UInt64(1) << UInt64(endpoint.port & 63)
        for index in addresses.indices where addresses[index].bound == endpoint.address {
            // SAFETY: as in `open`.
            unsafe words[index * Self.wordsPerAddress + Int(endpoint.port >> 6)].bitwiseAnd(~bit, ordering: .relaxed)
        }
    }

    /// The packet path's way to read it, without touching a reference count. Valid as long as the object lives.
    var reader: Reader {
        // SAFETY: `OwnEndpoints`, the one owner of a reader, holds the object beside it.
        unsafe Reader(
            words: words,
            places: places,
            count: addresses.count,
            translates: addresses.contains { $0.bound != $0.external }
        )
    }

    // SAFETY: @safe because `count` bounds what is read, and its owner keeps the object that the pointers lead into.
    /// Plain pointers into the object.
    @safe
    struct Reader: BitwiseCopyable {
        private let words: UnsafeMutablePointer<Atomic<UInt64>>
        private let places: UnsafeMutablePointer<RelayAddress>
        private let count: Int
        /// Whether an address is seen from outside as another.
        let translates: Bool

        fileprivate init(
            words: UnsafeMutablePointer<Atomic<UInt64>>,
            places: UnsafeMutablePointer<RelayAddress>,
            count: Int,
            translates: Bool
        ) {
            unsafe self.words = unsafe words
            unsafe self.places = unsafe places
            self.count = count
            self.translates = translates
        }

        /// Where the relay is bound that the outside knows by `endpoint`; nil if no relay lives there.
        func bound(_ endpoint: Endpoint) -> Endpoint? {
            for index in 0..<count {
                // SAFETY: `index` is below the number of addresses.
                let place = unsafe places[index]
                if place.external == endpoint.address, isLive(index, endpoint.port) {
                    return Endpoint(address: place.bound, port: endpoint.port)
                }
            }
            return nil
        }

        /// How the outside, and so every client, knows whoever sends from `source`: behind a 1:1 NAT, the datagrams of
        /// our own relays come from the address that they are bound to.
        func seen(_ source: Endpoint) -> Endpoint {
            for index in 0..<count {
                // SAFETY: `index` is below the number of addresses.
                let place = unsafe places[index]
                if place.bound == source.address, place.bound != place.external, isLive(index, source.port) {
                    return Endpoint(address: place.external, port: source.port)
                }
            }
            return source
        }

        private func isLive(_ index: Int, _ port: UInt16) -> Bool {
            // SAFETY: `index` is below the number of addresses, and a port's upper ten bits below the words of each.
            let word = unsafe words[index &* LiveRelayPorts.wordsPerAddress &+ Int(port >> 6)].load(ordering: .relaxed)
            return word >> UInt64(port & 63) & 1 == 1
        }
    }
}

internal import NetPrimitives
internal import STUNCore

/// Which relay sockets an Allocate request needs, in the order of their opening.
struct RelayOpeningPlan {
    let first: PortWish
    var second: PortWish?
    /// Why one of two families is left out from the start.
    var addressError: AddressErrorCode?

    /// A plan for one socket.
    private init(_ only: PortWish) { first = only }

    /// A plan for an address of each family, or for the one family that is served.
    private init(bothOf served: RelayAddresses, _ evenPort: EvenPort?) throws(Refusal) {
        let ipv4 = served.ipv4.map { PortWish($0, evenPort) }
        let ipv6 = served.ipv6.map { PortWish($0, evenPort) }
        guard let first = ipv4 ?? ipv6 else { throw Refusal(.addressFamilyNotSupported) }
        self.first = first
        if ipv4 != nil, ipv6 != nil {
            second = ipv6
        } else {
            addressError = AddressErrorCode(family: ipv4 == nil ? .ipv4 : .ipv6, code: .addressFamilyNotSupported)
        }
    }

    /// Checks what a request says about the relayed address (RFC 8656 §7.2) against the addresses that are served.
    static func make(_ message: MessageView, _ served: RelayAddresses) throws(Refusal) -> RelayOpeningPlan {
        let evenPort = message.evenPort
        guard evenPort != nil || !message.contains(.evenPort) else { throw Refusal(.badRequest) }
        let requested = message.requestedAddressFamily
        let additional = message.additionalAddressFamily

        if message.contains(.reservationToken) {
            guard
                let token = message.reservationToken,
                evenPort == nil, requested == .absent, additional == .absent
            else { throw Refusal(.badRequest) }
            return RelayOpeningPlan(.reserved(token))
        }
        if additional != .absent {
            guard additional == .family(.ipv6), requested == .absent, evenPort?.reservesNextPort != true else {
                throw Refusal(.badRequest)
            }
            return try RelayOpeningPlan(bothOf: served, evenPort)
        }
        let family: IPAddress.Family
        switch requested {
        case .absent: family = .ipv4
        case .family(let requested): family = requested
        case .unknown: throw Refusal(.addressFamilyNotSupported)
        case .malformed: throw Refusal(.badRequest)
        }
        guard let address = served[family] else { throw Refusal(.addressFamilyNotSupported) }
        return RelayOpeningPlan(PortWish(address, evenPort))
    }
}

extension PortWish {
    fileprivate init(_ address: RelayAddress, _ evenPort: EvenPort?) {
        self =
            switch evenPort?.reservesNextPort {
            case nil: .any(address.bound)
            case false?: .even(address.bound)
            case true?: .evenAndNext(address.bound)
            }
    }
}

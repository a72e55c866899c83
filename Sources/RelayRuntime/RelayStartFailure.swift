public import NetPrimitives
public import PacketIO

/// Why the relay could not start, in words for the operator, with the setting to change.
public enum RelayStartFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process has the address.
    case addressInUse(Endpoint)
    /// The address is not this machine's.
    case addressUnavailable(Endpoint)
    /// The port is one that only a privileged process may have.
    case portForbidden(Endpoint)
    /// No address is left to listen on.
    case nothingToListenOn
    /// An address of `TURN_RELAY_IP` is not this machine's.
    case relayAddressUnavailable(IPAddress)
    /// Two addresses of one family where one is meant.
    case severalAddresses(setting: String, family: IPAddress.Family)
    /// With this realm, challenges would be too large for whoever did not ask for them.
    case realmTooLong(bytes: Int, limit: Int)
    /// `TURN_WORKERS` is out of its range.
    case workerCount(Int)
    /// The relay was started before; it is started once.
    case alreadyStarted
    /// The system refused something that no setting is to blame for.
    case system(SystemError)

    /// One line that says what is wrong and which setting to change.
    public var description: String {
        switch self {
        case .addressInUse(let endpoint):
            "UDP \(endpoint) is already in use by another process; stop it or change TURN_PORT"
        case .addressUnavailable(let endpoint):
            "\(endpoint.address) is not an address of this machine; change TURN_LISTEN"
        case .portForbidden(let endpoint):
            "UDP port \(endpoint.port) needs a privilege this process does not have; change TURN_PORT"
        case .nothingToListenOn:
            "TURN_LISTEN names no address that this machine has"
        case .relayAddressUnavailable(let address):
            "\(address) is not an address of this machine; change TURN_RELAY_IP"
        case .severalAddresses(let setting, let family):
            "\(setting) has more than one \(family == .ipv4 ? "IPv4" : "IPv6") address; give one of each family"
        case .realmTooLong(let bytes, let limit):
            "TURN_REALM is \(bytes) bytes long; with more than \(limit), an answer to a request with a forged source "
                + "would be more than three times as large as the request"
        case .workerCount(let count):
            "TURN_WORKERS is \(count); it has to be between 1 and \(RelayService.workerLimit)"
        case .alreadyStarted:
            "the relay was already started"
        case .system(let error):
            "the relay could not be set up: \(error)"
        }
    }
}

/// Whose relayed addresses and reserved ports count together against `TURN_USER_QUOTA`.
public enum QuotaKey: Hashable, Sendable {
    /// A user name from the configuration.
    case staticUser(String)
    /// A user tag of our own time-limited names.
    case tag(RelayUserTag)
    /// What follows the first colon of anybody else's time-limited name, whole.
    case name(String)
}

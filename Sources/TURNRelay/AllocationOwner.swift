internal import STUNCore

/// Who made an allocation, as its Allocate request proved. Every later request on it must prove the same.
struct AllocationOwner: Sendable {
    /// The whole USERNAME.
    let username: String
    /// What the user's quota is counted by: the user tag of a time-limited name, else the name.
    let quotaKey: String
    /// The key and algorithm of the Allocate request.
    let seal: IntegritySeal
}

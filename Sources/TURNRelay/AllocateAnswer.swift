internal import STUNCore

/// What the answer to an Allocate request says besides the relayed addresses: kept, since the same request once more gets
/// the same answer.
struct AllocateAnswer: Sendable, BitwiseCopyable {
    /// Tells a retransmission from another request.
    let transactionID: TransactionID
    /// The lifetime that was granted.
    let grantedSeconds: UInt32
    /// The token of the port that is kept beside the relayed one.
    var reservation: ReservationToken?
    /// Why a family that was asked for is missing.
    var addressError: AddressErrorCode?
}

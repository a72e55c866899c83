/// Why an act on a call was refused. `code` is what clients may depend on.
public enum CallFailure: Error, Hashable, Sendable {
    /// No call has this id.
    case callNotFound
    /// The user is not of the call's audience, or not of the room.
    case forbidden
    /// The user is not a member of the call's room, or not any more.
    case notInRoom
    /// Somebody that the call was to ring for is not a member of the room.
    case inviteeNotInRoom
    /// The user may take calls in this room, but not start one.
    case startForbidden
    /// The room is encrypted, and calls in encrypted rooms are switched off.
    case roomEncrypted
    /// The homeserver does not take the user's token any more. Its own words pass through.
    case tokenRejected(errcode: String?, isSoftLogout: Bool?)
    /// The homeserver cannot say now who is in the room.
    case homeserverUnavailable
    /// Nobody is here who could ask the homeserver whether the user is in the room: a user who has an access token of it.
    case membershipUnknown
    /// The body names another user than the token.
    case userMismatch
    /// The call is over.
    case callEnded(Call)
    /// Another person or another device took the call.
    case answeredElsewhere
    /// The call has as many participants as it may have.
    case callFull
    /// The room has another call.
    case callExists(Call)
    /// The room has more members than a call rings for; name them.
    case nameInvitees(limit: Int)
    /// More invitees than a call may have.
    case tooManyInvitees(limit: Int)
    /// The user must answer first.
    case notAnswered
    /// The user, or this socket, has not joined the call.
    case notJoined
    /// `to` names nobody of this call.
    case unknownRecipient
    /// What was sent is not what the act takes; `detail` says which member and why.
    case invalid(detail: String)
    /// A description, a candidate or a batch is larger than it may be.
    case tooLarge(detail: String)
    /// The events after `afterSeq` are no longer all kept: join afresh.
    case resyncRequired
    /// The idempotency key was used with another body.
    case idempotencyMismatch
    /// The first request with this idempotency key is still being worked on.
    case idempotencyInProgress
    /// The store cannot be reached or did not answer; trying again later is right.
    case storeUnavailable

    /// The stable name of the failure.
    public var code: String {
        switch self {
        case .callNotFound: "call_not_found"
        case .forbidden: "forbidden"
        case .notInRoom: "not_in_room"
        case .inviteeNotInRoom: "invitee_not_in_room"
        case .startForbidden: "start_forbidden"
        case .roomEncrypted: "room_encrypted"
        case .tokenRejected: "invalid_token"
        case .homeserverUnavailable: "homeserver_unavailable"
        case .membershipUnknown: "membership_unknown"
        case .userMismatch: "user_mismatch"
        case .callEnded: "call_ended"
        case .answeredElsewhere: "answered_elsewhere"
        case .callFull: "call_full"
        case .callExists: "call_exists"
        case .nameInvitees: "name_invitees"
        case .tooManyInvitees: "too_many_invitees"
        case .notAnswered: "not_answered"
        case .notJoined: "not_joined"
        case .unknownRecipient: "unknown_recipient"
        case .invalid: "invalid_request"
        case .tooLarge: "too_large"
        case .resyncRequired: "resync_required"
        case .idempotencyMismatch: "idempotency_mismatch"
        case .idempotencyInProgress: "idempotency_in_progress"
        case .storeUnavailable: "store_unavailable"
        }
    }

    /// One sentence for a person.
    public var message: String {
        switch self {
        case .callNotFound: "There is no such call."
        case .forbidden: "You do not take part in this call."
        case .notInRoom: "You are not a member of the room."
        case .inviteeNotInRoom: "The call names somebody who is not a member of the room."
        case .startForbidden: "You may not start calls in this room."
        case .roomEncrypted: "The room is encrypted, and this server makes no calls in such rooms."
        case .tokenRejected: "The token is not valid."
        case .homeserverUnavailable: "The homeserver cannot be asked who is in the room; try again."
        case .membershipUnknown: "Nobody is here who could ask the homeserver whether you are in the room."
        case .userMismatch: "userId is not the user that the token belongs to."
        case .callEnded: "The call has ended."
        case .answeredElsewhere: "The call was answered elsewhere."
        case .callFull: "The call is full."
        case .callExists: "The room already has a call."
        case .nameInvitees(let limit): "The room has more than \(limit) other members; name the invitees."
        case .tooManyInvitees(let limit): "A call takes at most \(limit) invitees."
        case .notAnswered: "Answer the call first."
        case .notJoined: "You have not joined this call."
        case .unknownRecipient: "The user named by 'to' does not take part in this call."
        case .invalid(let detail): detail
        case .tooLarge(let detail): detail
        case .resyncRequired: "Too much was missed; join without afterSeq."
        case .idempotencyMismatch: "The Idempotency-Key was used with another body."
        case .idempotencyInProgress: "The first request with this Idempotency-Key is not finished yet."
        case .storeUnavailable: "The call store is not available; try again."
        }
    }
}

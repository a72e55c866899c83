import CallModel
import CallService
import HTTPTypes
import Signaling
import SocketIO

extension Problem {
    /// The one place where what the call service refuses becomes an HTTP status.
    init(_ failure: CallFailure) {
        let status: HTTPResponse.Status =
            switch failure {
            case .invalid: .badRequest
            case .forbidden, .notInRoom, .startForbidden, .userMismatch: .forbidden
            case .tokenRejected: .unauthorized
            case .callNotFound: .notFound
            case .answeredElsewhere, .callFull, .roomEncrypted, .callExists, .notAnswered, .notJoined, .resyncRequired,
                .idempotencyInProgress:
                .conflict
            case .callEnded: .gone
            case .tooLarge: .contentTooLarge
            case .nameInvitees, .tooManyInvitees, .inviteeNotInRoom, .unknownRecipient, .idempotencyMismatch:
                .unprocessableContent
            case .storeUnavailable, .homeserverUnavailable, .membershipUnknown: .serviceUnavailable
            }
        self.init(status, failure.code, failure.message)
        switch failure {
        case .callExists(let call), .callEnded(let call): members = [("call", call.json)]
        case .storeUnavailable, .homeserverUnavailable, .idempotencyInProgress: headers[.retryAfter] = "1"
        case .tokenRejected(let errcode, let isSoftLogout):
            headers[.wwwAuthenticate] = "Bearer"
            members = Self.members(errcode, isSoftLogout)
        default: break
        }
    }

    /// The answer to a token that was not taken.
    init(_ failure: AuthenticationFailure) {
        switch failure {
        case .missing, .invalid, .otherUser:
            self.init(.unauthorized, failure.code, failure.message)
            headers[.wwwAuthenticate] = "Bearer"
        case .guest, .serverNotListed:
            self.init(.forbidden, failure.code, failure.message)
        case .unavailable:
            self.init(.serviceUnavailable, failure.code, failure.message)
            headers[.retryAfter] = "1"
        }
        if case .invalid(let errcode, let isSoftLogout) = failure {
            members = Self.members(errcode, isSoftLogout)
        }
    }

    /// A homeserver's own words, by which a Matrix client knows what to do.
    private static func members(_ errcode: String?, _ isSoftLogout: Bool?) -> [(String, JSONText?)] {
        [("errcode", errcode.map { .string($0) }), ("soft_logout", isSoftLogout.map { .boolean($0) })]
    }
}

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
            case .forbidden, .userMismatch: .forbidden
            case .callNotFound: .notFound
            case .answeredElsewhere, .callFull, .callExists, .notAnswered, .notJoined, .resyncRequired,
                .idempotencyInProgress:
                .conflict
            case .callEnded: .gone
            case .tooLarge: .contentTooLarge
            case .nameInvitees, .tooManyInvitees, .unknownRecipient, .idempotencyMismatch: .unprocessableContent
            case .storeUnavailable: .serviceUnavailable
            }
        self.init(status, failure.code, failure.message)
        switch failure {
        case .callExists(let call), .callEnded(let call): members = [("call", call.json)]
        case .storeUnavailable, .idempotencyInProgress: headers[.retryAfter] = "1"
        default: break
        }
    }

    /// The answer to a token that was not taken.
    init(_ failure: AuthenticationFailure) {
        switch failure {
        case .missing, .invalid, .otherUser:
            self.init(.unauthorized, failure.code, failure.message)
            headers[.wwwAuthenticate] = "Bearer"
        case .unavailable:
            self.init(.serviceUnavailable, failure.code, failure.message)
            headers[.retryAfter] = "1"
        }
        if case .invalid(let errcode, let isSoftLogout) = failure {
            members = [("errcode", errcode.map { .string($0) }), ("soft_logout", isSoftLogout.map { .boolean($0) })]
        }
    }
}

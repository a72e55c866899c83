public import CallModel
import CallStore
import Signaling
public import SocketIO

/// A request that its client may send again: the client's key for it, on one route, with a hash of its body.
public struct RepeatableRequest: Sendable {
    /// The client's own text.
    public let key: String
    /// The route, path parameters included.
    public let route: String
    /// A hash of the body; the same key with another body is refused.
    public let bodyHash: String

    /// Refuses a key that is empty or longer than `IdempotencyKey.maximumLength` bytes.
    public init(key: String, route: String, bodyHash: String) throws(CallFailure) {
        guard !key.isEmpty, key.utf8.count <= IdempotencyKey.maximumLength else {
            throw .invalid(detail: "Idempotency-Key must have 1 to \(IdempotencyKey.maximumLength) bytes.")
        }
        self.key = key
        self.route = route
        self.bodyHash = bodyHash
    }
}

/// What a request was answered with.
public struct Answer: Sendable {
    /// How the answer is made again for a repeated request.
    public enum Form: Sendable {
        /// The call as it is then.
        case call
        /// The call as it is then, with ICE servers and a credential minted anew; `callEnded` once it is over.
        case callWithICE
        /// The same text.
        case same
    }

    /// The HTTP status.
    public let status: Int
    /// The call that it was about.
    public let callID: CallID
    /// The body.
    public let json: JSONText
    /// How it is made again.
    public let form: Form

    /// An answer about one call.
    public init(status: Int, callID: CallID, json: JSONText, form: Form) {
        self.status = status
        self.callID = callID
        self.json = json
        self.form = form
    }
}

extension CallService {
    /// Does `work` once per key: who repeats the request hears the first answer, made again as `form` says. A request
    /// that failed is forgotten, so that repeating it tries again. Without a request key, `work` is simply done.
    public func once(
        _ request: RepeatableRequest?,
        form: Answer.Form,
        by identity: Identity,
        _ work: () async throws(CallFailure) -> Answer
    ) async throws(CallFailure) -> Answer {
        guard let request else { return try await work() }
        let key = IdempotencyKey(
            userID: identity.userID,
            route: request.route,
            key: request.key,
            bodyHash: request.bodyHash
        )
        let claim = try await stored { () async throws(StoreFailure) in
            try await self.store.claim(key, at: self.clock())
        }
        switch claim {
        case .mismatch: throw .idempotencyMismatch
        case .inProgress: throw .idempotencyInProgress
        case .done(let result): return try await again(result, form: form, by: identity)
        case .claimed: break
        }
        let answer: Answer
        do throws(CallFailure) {
            answer = try await work()
        } catch {
            // A claim that stays is taken over later; the failure is what the client must hear.
            try? await stored { () async throws(StoreFailure) in try await self.store.release(key) }
            throw error
        }
        let body = if case .same = form { answer.json.text } else { "" }
        let result = IdempotencyResult(status: answer.status, callID: answer.callID, body: body)
        // The work is done and cannot be taken back: a failure here is logged by `stored` and costs the repetition only.
        try? await stored { () async throws(StoreFailure) in try await self.store.settle(key, result) }
        return answer
    }

    private func again(
        _ result: IdempotencyResult,
        form: Answer.Form,
        by identity: Identity
    ) async throws(CallFailure) -> Answer {
        let json: JSONText
        switch form {
        case .same:
            guard let text = try? JSONText(validating: result.body) else { throw .storeUnavailable }
            json = text
        case .call:
            json = try await status(result.callID, by: identity).json
        case .callWithICE:
            let call = try await status(result.callID, by: identity)
            // A credential is minted when it is asked for, so a late repetition must not get one for a call that is over.
            guard call.state != .ended else { throw .callEnded(call) }
            json = CallAdmission(call: call, ice: iceServers(for: identity.userID, in: call), isNew: false).json
        }
        return Answer(status: result.status, callID: result.callID, json: json, form: form)
    }
}

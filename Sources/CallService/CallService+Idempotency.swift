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

/// A claimed key that is to be given back.
struct UnreturnedKey: Hashable {
    let key: IdempotencyKey
    let claimedAt: Timestamp
    /// Whether the call may be there that it was claimed for.
    let keepsCall: Bool
}

extension CallService {
    /// Does `work` once per key: who repeats the request hears the first answer, made again as `form` says. A request
    /// that failed is forgotten, so that repeating it tries again. Without a request key, `work` is simply done.
    ///
    /// `id` is for work that places a call: `work` is told under which id. If the answer of the store is lost, the call may be
    /// there; a repetition finds it by that.
    public func once(
        _ request: RepeatableRequest?,
        form: Answer.Form,
        by identity: Identity,
        placing id: CallID? = nil,
        _ work: (CallID?) async throws(CallFailure) -> Answer
    ) async throws(CallFailure) -> Answer {
        guard let request else { return try await work(id) }
        let key = IdempotencyKey(
            userID: identity.userID,
            route: request.route,
            key: request.key,
            bodyHash: request.bodyHash
        )
        let now = clock()
        let claim = try await stored { () async throws(StoreFailure) in
            try await self.store.claim(key, placing: id, at: now)
        }
        let placing: CallID?
        switch claim {
        case .mismatch: throw .idempotencyMismatch
        case .done(let result): return try await again(result, form: form, by: identity)
        case .inProgress(let earlier):
            if let earlier, let answer = try await placed(earlier, key, form: form, by: identity) { return answer }
            throw .idempotencyInProgress
        case .claimed(let earlier):
            if let earlier, earlier != id, let answer = try await placed(earlier, key, form: form, by: identity) {
                return answer
            }
            placing = earlier
        }
        let answer: Answer
        do throws(CallFailure) {
            answer = try await work(placing)
        } catch {
            let keepsCall = placing != nil && error == .storeUnavailable
            _ = await giveBack(UnreturnedKey(key: key, claimedAt: now, keepsCall: keepsCall))
            throw error
        }
        let body = if case .same = form { answer.json.text } else { "" }
        let result = IdempotencyResult(status: answer.status, callID: answer.callID, body: body)
        // The work is done and cannot be taken back: a failure here is logged by `stored` and costs the repetition only.
        try? await stored { () async throws(StoreFailure) in try await self.store.settle(key, result) }
        return answer
    }

    /// What an earlier try of a request is answered with, if the call is there that it was about to place.
    private func placed(
        _ id: CallID,
        _ key: IdempotencyKey,
        form: Answer.Form,
        by identity: Identity
    ) async throws(CallFailure) -> Answer? {
        let call = try await stored { () async throws(StoreFailure) in try await self.store.call(id) }
        guard call?.createdBy == identity.userID else { return nil }
        let result = IdempotencyResult(status: 201, callID: id)
        // As in `once`: a failure costs another look.
        try? await stored { () async throws(StoreFailure) in try await self.store.settle(key, result) }
        return try await again(result, form: form, by: identity)
    }

    /// Gives a key back whose request failed, now or when the store answers again; answers whether it is done.
    private func giveBack(_ key: UnreturnedKey) async -> Bool {
        do throws(CallFailure) {
            try await stored { () async throws(StoreFailure) in
                try await self.store.release(key.key, claimedAt: key.claimedAt, keepsCall: key.keepsCall)
            }
            unreturnedKeys.forget(key)
            return true
        } catch {
            // The failure of the request is what the client must hear; `stored` has logged this one.
            unreturnedKeys.note(key)
            return false
        }
    }

    /// Gives back what could not be given back before.
    func giveBackKeys() async {
        for key in unreturnedKeys.all {
            // One failure is enough for this time.
            guard await giveBack(key) else { return }
        }
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
            // Whoever placed it and has not heard of it has not told its room either.
            let isPlacing = call.state == .ringing && call.createdBy == identity.userID
            let announcement = isPlacing ? try await rooms.announcement(in: call.roomID, identity) : nil
            json = admission(to: call, of: identity.userID, announcement).json
        }
        return Answer(status: result.status, callID: result.callID, json: json, form: form)
    }
}

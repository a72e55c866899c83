import CallModel
import CallService
import STUNServer

/// Turns the user tag in a credential of ours back into a user: the participants of the call are known, and each has one
/// tag under each secret.
struct RelayOwners {
    /// Calls remembered; with more, all are forgotten and looked up again.
    static let callLimit = 8_192
    /// Allocations of one participant of a call that the audit tells of, as long as the call is remembered; bytes are
    /// counted for all. Each participant has a share, so that nobody can use up another's.
    static let auditedPerParticipant = 256

    private struct KnownCall {
        let userByTag: [RelayUserTag: UserID]
        var audited: [UserID: Int] = [:]
    }

    private let secrets: [SharedSecret]
    private var calls: [CallID: KnownCall] = [:]

    init(secrets: [SharedSecret]) { self.secrets = secrets }

    /// Whose allocation it is; nil if it was not made for a call that is there, or by nobody of its audience.
    mutating func owner(of username: String, in service: CallService) async throws(CallFailure) -> RelayLedger.Owner? {
        guard let own = TimeLimitedUsername(parsing: username)?.own, let call = own.callID.flatMap({ CallID($0) })
        else {
            return nil
        }
        if calls[call] == nil {
            guard let audience = try await service.audience(of: call) else { return nil }
            if calls.count >= Self.callLimit { calls.removeAll() }
            calls[call] = KnownCall(userByTag: tags(of: audience))
        }
        return calls[call]?.userByTag[own.tag].map { RelayLedger.Owner(call: call, user: $0) }
    }

    /// Whether `owner` answers without asking the service.
    func know(_ username: String) -> Bool {
        let call = TimeLimitedUsername(parsing: username)?.own?.callID.flatMap { CallID($0) }
        return call.map { calls[$0] != nil } ?? true
    }

    /// Whether the audit is to tell of one more allocation of a participant.
    mutating func mayAudit(_ owner: RelayLedger.Owner) -> Bool {
        guard let known = calls[owner.call] else { return false }
        let audited = known.audited[owner.user, default: 0]
        guard audited < Self.auditedPerParticipant else { return false }
        calls[owner.call]?.audited[owner.user] = audited + 1
        return true
    }

    private func tags(of audience: [UserID]) -> [RelayUserTag: UserID] {
        var users: [RelayUserTag: UserID] = [:]
        for user in audience {
            for secret in secrets { users[RelayUserTag(userID: user, secret: secret)] = user }
        }
        return users
    }
}

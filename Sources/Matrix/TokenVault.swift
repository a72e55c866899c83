import CallModel
public import CallService
import Locking

/// The access tokens that users came with lately, by user and device: in memory only, and only as long as something may have to
/// be sent with them.
public final class TokenVault: Sendable {
    /// How long after a user's last contact a token is kept; what waits to be sent waits for less.
    static let lifetime = Duration.seconds(900)
    /// Users whose tokens are kept; of more nothing is sent.
    static let userLimit = 100_000
    /// Devices of one user whose tokens are kept; the one that was seen longest ago makes room.
    static let devicesPerUser = 20

    private struct Held {
        var token: AccessToken
        var seenAt: ContinuousClock.Instant
    }

    private struct State {
        var tokens: [UserID: [DeviceID: Held]] = [:]
        var sweptAt: ContinuousClock.Instant
    }

    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Locked<State>

    /// An empty vault.
    public init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
        state = Locked(State(sweptAt: now()))
    }

    /// A user came with a token; answers whether there was none of the same user and device.
    func keep(_ identity: Identity) -> Bool {
        guard let token = identity.access else { return false }
        let now = now()
        return state.withLock { state in
            if now >= state.sweptAt + .seconds(60) { Self.sweep(&state, now) }
            let device = identity.deviceID ?? ""
            let isNew = state.tokens[identity.userID]?[device] == nil
            if isNew, state.tokens[identity.userID] == nil, state.tokens.count >= Self.userLimit { return false }
            state.tokens[identity.userID, default: [:]][device] = Held(token: token, seenAt: now)
            if isNew, let devices = state.tokens[identity.userID], devices.count > Self.devicesPerUser,
                let oldest = devices.min(by: { $0.value.seenAt < $1.value.seenAt })?.key
            {
                state.tokens[identity.userID]?[oldest] = nil
            }
            return isNew
        }
    }

    /// The token of a user's device, empty for a token of none.
    func token(of user: UserID, device: DeviceID) -> AccessToken? {
        let now = now()
        return state.withLock { state in
            guard let held = state.tokens[user]?[device], now < held.seenAt + Self.lifetime else { return nil }
            return held.token
        }
    }

    /// The device of a user that was seen last, empty for a token of none.
    func device(of user: UserID) -> DeviceID? {
        let now = now()
        return state.withLock { state in
            state.tokens[user]?.filter { now < $0.value.seenAt + Self.lifetime }
                .max { $0.value.seenAt < $1.value.seenAt }?.key
        }
    }

    /// The homeserver does not take the token any more.
    func drop(_ token: AccessToken, of user: UserID, device: DeviceID) {
        state.withLock { state in
            guard state.tokens[user]?[device]?.token == token else { return }
            state.tokens[user]?[device] = nil
            if state.tokens[user]?.isEmpty == true { state.tokens[user] = nil }
        }
    }

    private static func sweep(_ state: inout State, _ now: ContinuousClock.Instant) {
        state.sweptAt = now
        state.tokens = state.tokens.compactMapValues { devices in
            let kept = devices.filter { now < $0.value.seenAt + lifetime }
            return kept.isEmpty ? nil : kept
        }
    }
}

/// Keeps the tokens of those whom another verifier lets in. `onNew` hears of a user's device that was not known.
public struct KeepingTokenVerifier: TokenVerifier {
    private let others: any TokenVerifier
    private let vault: TokenVault
    private let onNew: @Sendable () -> Void

    /// A verifier that keeps tokens in `vault`.
    public init(_ others: any TokenVerifier, in vault: TokenVault, onNew: @escaping @Sendable () -> Void) {
        self.others = others
        self.vault = vault
        self.onNew = onNew
    }

    /// Who the token belongs to.
    public func verify(_ token: String) async throws(AuthenticationFailure) -> Identity {
        let identity = try await others.verify(token)
        if vault.keep(identity) { onNew() }
        return identity
    }
}

public import CallModel
public import CallService
public import CallStore

/// Sends events to rooms with the tokens that their senders came with.
public struct MatrixEventSender: RoomEventSender {
    private let homeserver: HomeserverClient
    private let vault: TokenVault
    private let verifier: MatrixTokenVerifier

    /// A sender to the rooms of one homeserver.
    public init(homeserver: HomeserverClient, vault: TokenVault, verifier: MatrixTokenVerifier) {
        self.homeserver = homeserver
        self.vault = vault
        self.verifier = verifier
    }

    /// The device that the event was tried with before, if its token is here; else the one that its sender used last.
    public func device(for waiting: WaitingRoomEvent) -> DeviceID? {
        guard let device = waiting.device else { return vault.device(of: waiting.sender) }
        return vault.token(of: waiting.sender, device: device) == nil ? nil : device
    }

    /// Sends one in its sender's name.
    public func send(_ event: StoredRoomEvent, device: DeviceID) async -> RoomEventAnswer {
        let sender = event.event.sender
        guard let token = vault.token(of: sender, device: device) else { return .tokenRejected }
        do throws(HomeserverFailure) {
            return .sent(eventID: try await homeserver.send(event.event, to: event.roomID, token))
        } catch {
            if error.rejectsToken {
                verifier.forget(token)
                vault.drop(token, of: sender, device: device)
                return .tokenRejected
            }
            switch error {
            case .limited(let milliseconds): return .later(milliseconds: milliseconds, reason: "rate-limited")
            case .refused(status: 403, _, _): return .refused(reason: "forbidden")
            case .refused(status: 413, _, _): return .refused(reason: "too-large")
            case .refused: return .refused(reason: "refused")
            case .unavailable, .tooLarge, .malformed: return .later(milliseconds: nil, reason: error.reason)
            }
        }
    }
}

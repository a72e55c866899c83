public import CallModel
public import CallService
public import CallStore

/// Sends events to rooms: as an application service in anybody's name, else with the tokens that their senders came with.
public struct MatrixEventSender: RoomEventSender {
    private let homeserver: HomeserverClient
    private let appService: AppService?
    private let vault: TokenVault
    private let verifier: MatrixTokenVerifier
    /// Asked if encrypted rooms are their clients' matter.
    private let encryption: RoomEncryption?

    /// A sender to the rooms of one homeserver; with `encryption` to none that is encrypted.
    public init(
        homeserver: HomeserverClient,
        appService: AppService?,
        vault: TokenVault,
        verifier: MatrixTokenVerifier,
        sparing encryption: RoomEncryption? = nil
    ) {
        self.homeserver = homeserver
        self.appService = appService
        self.vault = vault
        self.verifier = verifier
        self.encryption = encryption
    }

    /// The device that the event was tried with before, if its token is here; else the one that its sender used last. An application
    /// service needs no token of the sender's.
    public func device(for waiting: WaitingRoomEvent) -> DeviceID? {
        if appService?.mayActAs(waiting.sender) == true {
            return waiting.device ?? vault.device(of: waiting.sender) ?? ""
        }
        guard let device = waiting.device else { return vault.device(of: waiting.sender) }
        return vault.token(of: waiting.sender, device: device) == nil ? nil : device
    }

    /// Sends one in its sender's name.
    public func send(_ event: StoredRoomEvent, device: DeviceID) async -> RoomEventAnswer {
        let sender = event.event.sender
        if let credential = appService?.credential(of: sender, device: device.isEmpty ? nil : device) {
            return await send(event, credential)
        }
        guard let token = vault.token(of: sender, device: device) else { return .tokenRejected(isSignedOut: false) }
        let answer = await send(event, HomeserverCredential(token))
        if case .tokenRejected = answer {
            verifier.forget(token)
            vault.drop(token, of: sender, device: device)
        }
        return answer
    }

    private func send(_ event: StoredRoomEvent, _ credential: HomeserverCredential) async -> RoomEventAnswer {
        do throws(HomeserverFailure) {
            if let encryption, try await encryption.isEncrypted(event.roomID, credential) { return .leftToClient }
            return .sent(eventID: try await homeserver.send(event.event, to: event.roomID, credential))
        } catch {
            switch error {
            case .limited(let milliseconds): return .later(milliseconds: milliseconds, reason: "rate-limited")
            case .refused(_, errcode: "M_UNKNOWN_DEVICE", _) where credential.device != nil:
                // The device was signed out since.
                guard !event.isRepetition else { return .tokenRejected(isSignedOut: true) }
                return await send(event, HomeserverCredential(credential.token, as: credential.user))
            case .refused where error.rejectsToken && credential.user != nil:
                return .later(milliseconds: nil, reason: "the homeserver does not know MATRIX_AS_TOKEN")
            case .refused(_, _, let isSoftLogout) where error.rejectsToken:
                return .tokenRejected(isSignedOut: isSoftLogout != true)
            case .refused(status: 403, _, _): return .refused(reason: "forbidden")
            case .refused(status: 413, _, _): return .refused(reason: "too-large")
            case .refused: return .refused(reason: "refused")
            case .unavailable, .tooLarge, .malformed: return .unknown(reason: error.reason)
            }
        }
    }
}

import CallService
import Locking

/// Which rooms are encrypted, by the homeserver's word.
public final class RoomEncryption: Sendable {
    private let homeserver: HomeserverClient
    /// Rooms that are known to be encrypted, which stay so.
    private let encrypted = Locked(Generations<String, Void>(size: MatrixRooms.rooms / 2))

    /// What `homeserver` says of its rooms.
    public init(_ homeserver: HomeserverClient) { self.homeserver = homeserver }

    /// Whether a room is known to be encrypted without asking.
    func isKnown(_ roomID: String) -> Bool { encrypted.withLock { $0.value(roomID) } != nil }

    /// Whether a room is encrypted.
    func isEncrypted(_ roomID: String, _ credential: HomeserverCredential) async throws(HomeserverFailure) -> Bool {
        if isKnown(roomID) { return true }
        let state = try await homeserver.state("m.room.encryption", Encryption.self, of: roomID, credential)
        if state != nil { encrypted.withLock { $0.set((), for: roomID) } }
        return state != nil
    }
}

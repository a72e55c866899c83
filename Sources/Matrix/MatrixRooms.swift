public import CallModel
public import CallService
import Locking
public import RoomEvents

/// Who is in a room, by the homeserver's word, which is remembered for a short while.
///
/// Users who brought no access token are looked for with that of another member: any member may see who else is in.
public final class MatrixRooms: RoomDirectory {
    /// Who may start calls.
    public struct StartRule: Sendable {
        /// The least power in the room; `nil`: any.
        public var power: Int?
        /// Users, or `:server` for all of one; empty: everybody.
        public var users: [String]

        /// Everybody may, unless it says otherwise.
        public init(power: Int? = nil, users: [String] = []) {
            self.power = power
            self.users = users
        }

        func lists(_ user: UserID) -> Bool {
            users.isEmpty || users.contains { $0.hasPrefix(":") ? user.hasSuffix($0) : user == $0 }
        }
    }

    /// What an encrypted room may be told of calls: it hides what is said in it from the homeserver, which an event in clear
    /// does not.
    public enum EncryptedRooms: Sendable {
        /// That there is a call, and nothing of how it is reached.
        case notifyOnly
        /// As any other room.
        case plaintext
        /// Nothing: the caller's client has the event to encrypt and send it itself.
        case clientSends
        /// There are no calls in it.
        case refuse
    }

    /// A user in a room.
    struct Seat: Hashable, Sendable {
        let room: String
        let user: UserID
    }

    /// What is asked: the same with another token is another question, since the answer may be about the token.
    struct Question: Hashable, Sendable {
        let seat: Seat
        let credential: HomeserverCredential
    }

    /// Memberships that are remembered, about.
    static let seats = 200_000
    /// Rooms of which a member's token is remembered, about.
    static let rooms = 20_000
    /// Memberships that are asked for at the same time; more: `homeserver_unavailable`.
    static let questions = 1_000
    /// Invitees who are looked for at the same time.
    private static let invitees = 8

    private let homeserver: HomeserverClient
    private let verifier: MatrixTokenVerifier
    private let appService: AppService?
    private let startRule: StartRule
    private let encryptedRooms: EncryptedRooms
    private let encryption: RoomEncryption
    private let memberLimit: Int
    private let patience: Patience
    private let now: @Sendable () -> ContinuousClock.Instant
    private let known = Locked(Generations<Seat, Known<Bool>>(size: seats / 2))
    /// The token of the member who was last seen in a room, to look for others with.
    private let insiders = Locked(Generations<String, AccessToken>(size: rooms / 2))
    private let questions = SingleFlight<Question, Result<Bool, CallFailure>>(limit: questions)

    /// The rooms of `homeserver`. A call for a whole room may be for `memberLimit` others.
    public init(
        homeserver: HomeserverClient,
        verifier: MatrixTokenVerifier,
        appService: AppService? = nil,
        startRule: StartRule = StartRule(),
        encryptedRooms: EncryptedRooms = .notifyOnly,
        encryption: RoomEncryption? = nil,
        memberLimit: Int,
        patience: Patience = Patience(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.homeserver = homeserver
        self.verifier = verifier
        self.appService = appService
        self.startRule = startRule
        self.encryptedRooms = encryptedRooms
        self.encryption = encryption ?? RoomEncryption(homeserver)
        self.memberLimit = memberLimit
        self.patience = patience
        self.now = now
    }

    /// Those who are in the room.
    public func members(of roomID: String, asking identity: Identity) async throws(CallFailure) -> [UserID] {
        let credential = try credential(of: identity, in: roomID)
        do throws(HomeserverFailure) {
            return try await homeserver.joinedMembers(of: roomID, credential)
        } catch .tooLarge {
            throw .nameInvitees(limit: memberLimit)
        } catch {
            throw failure(error, in: roomID, credential, of: identity)
        }
    }

    /// Refuses whoever is not in the room.
    public func requireMember(of roomID: String, _ identity: Identity) async throws(CallFailure) {
        guard try await isMember(identity.userID, of: roomID, asking: identity) else { throw .notInRoom }
        if let access = identity.access { insiders.withLock { $0.set(access, for: roomID) } }
    }

    /// The user came into the room or left it: what is remembered is not true any more.
    func forget(_ user: UserID, in roomID: String) {
        known.withLock { $0.set(nil, for: Seat(room: roomID, user: user)) }
    }

    /// Whether the user was in the room when the homeserver was last asked, not long ago.
    public func isMemberForSure(of roomID: String, _ identity: Identity) -> Bool {
        let seat = Seat(room: roomID, user: identity.userID)
        return known.withLock { $0.value(seat) }?.fresh(at: now()) == true
    }

    /// Refuses whoever is not listed, or has too little power in the room.
    public func requireMayStart(in roomID: String, _ identity: Identity) async throws(CallFailure) {
        guard startRule.lists(identity.userID) else { throw .startForbidden }
        guard let power = startRule.power else { return }
        let credential = try credential(of: identity, in: roomID)
        let levels: PowerLevels
        do throws(HomeserverFailure) {
            levels = PowerLevels(
                content: try await homeserver.state(
                    "m.room.power_levels",
                    PowerLevels.Content.self,
                    of: roomID,
                    credential
                ),
                creation: try await homeserver.state(
                    "m.room.create",
                    PowerLevels.Creation.self,
                    of: roomID,
                    credential,
                    wholeEvent: true
                )
            )
        } catch {
            throw failure(error, in: roomID, credential, of: identity)
        }
        guard levels.power(of: identity.userID) >= power else { throw .startForbidden }
    }

    /// What the room may be told, by whether it is encrypted. If that cannot be found out, as if it were.
    public func announcement(
        in roomID: String,
        _ identity: Identity
    ) async throws(CallFailure) -> RoomAnnouncement {
        guard encryptedRooms != .plaintext else { return .withOffer }
        guard try await isEncrypted(roomID, identity) else { return .withOffer }
        switch encryptedRooms {
        case .notifyOnly, .plaintext: return .withoutOffer
        case .clientSends: return .byClient
        case .refuse: throw .roomEncrypted
        }
    }

    private func isEncrypted(_ roomID: String, _ identity: Identity) async throws(CallFailure) -> Bool {
        if encryption.isKnown(roomID) { return true }
        let credential = try credential(of: identity, in: roomID)
        do throws(HomeserverFailure) {
            return try await encryption.isEncrypted(roomID, credential)
        } catch {
            let failure = failure(error, in: roomID, credential, of: identity)
            guard failure == .homeserverUnavailable, encryptedRooms == .notifyOnly else { throw failure }
            return true
        }
    }

    /// Refuses a call for anybody who is not in the room.
    public func requireInvitable(
        _ users: [UserID],
        to roomID: String,
        asking identity: Identity
    ) async throws(CallFailure) {
        for start in stride(from: 0, to: users.count, by: Self.invitees) {
            let some = users[start..<min(start + Self.invitees, users.count)]
            let answers = await withTaskGroup(of: Result<Bool, CallFailure>.self) { group in
                for user in some {
                    group.addTask {
                        await Result { () async throws(CallFailure) in
                            try await self.isMember(user, of: roomID, asking: identity)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for answer in answers {
                guard try answer.get() else { throw .inviteeNotInRoom }
            }
        }
    }

    private func isMember(
        _ user: UserID,
        of roomID: String,
        asking identity: Identity
    ) async throws(CallFailure) -> Bool {
        // Anything else names no room and no user, and must not become part of a path.
        guard roomID.hasPrefix("!"), user.hasForm else { return false }
        let seat = Seat(room: roomID, user: user)
        if let isMember = known.withLock({ $0.value(seat) })?.fresh(at: now()) { return isMember }
        let credential = try credential(of: identity, in: roomID)
        // Whoever is known need not wait for a homeserver that has just not answered others.
        if homeserver.isInTrouble, goOn(seat) {
            Task {
                let question = Question(seat: seat, credential: credential)
                _ = await self.questions.answer(question) { await self.ask(seat, credential, of: identity) }
            }
            return true
        }
        let answer = await questions.answer(Question(seat: seat, credential: credential)) {
            await self.ask(seat, credential, of: identity)
        }
        return try (answer ?? .failure(.homeserverUnavailable)).get()
    }

    private func ask(
        _ seat: Seat,
        _ credential: HomeserverCredential,
        of identity: Identity
    ) async -> Result<Bool, CallFailure> {
        do throws(HomeserverFailure) {
            let isMember = try await homeserver.membership(of: seat.user, in: seat.room, credential) == "join"
            if !isMember, credential.user == nil, credential.token != identity.access {
                // Or it is the lender of the token who is not in the room any more.
                insiders.withLock { $0.set(nil, for: seat.room) }
            }
            let known = Known(isMember, at: now(), for: isMember ? patience.good : patience.noMember)
            self.known.withLock { $0.set(known, for: seat) }
            return .success(isMember)
        } catch {
            let failure = failure(error, in: seat.room, credential, of: identity)
            guard failure == .homeserverUnavailable else { return .failure(failure) }
            return goOn(seat) ? .success(true) : .failure(failure)
        }
    }

    /// The homeserver does not answer: whether the user was a member when it last did, which holds for a while.
    private func goOn(_ seat: Seat) -> Bool {
        let now = now()
        return known.withLock { known in
            let goingOn = known.value(seat).flatMap { $0.value ? $0.goingOn(at: now, patience) : nil }
            known.set(goingOn, for: seat)
            return goingOn != nil
        }
    }

    /// What the homeserver is asked with: the user's own token, that of an application service, or that of another member.
    private func credential(of identity: Identity, in roomID: String) throws(CallFailure) -> HomeserverCredential {
        if let token = identity.access { return HomeserverCredential(token) }
        if let credential = appService?.credential(of: identity.userID) { return credential }
        guard let token = insiders.withLock({ $0.value(roomID) }) else { throw .membershipUnknown }
        return HomeserverCredential(token)
    }

    private func failure(
        _ failure: HomeserverFailure,
        in roomID: String,
        _ credential: HomeserverCredential,
        of identity: Identity
    ) -> CallFailure {
        guard case .refused(_, let errcode, let isSoftLogout) = failure else { return .homeserverUnavailable }
        guard failure.rejectsToken else { return .notInRoom }
        // What the homeserver does not take of its application service is the operator's matter.
        guard credential.user == nil else { return .homeserverUnavailable }
        verifier.forget(credential.token)
        guard credential.token == identity.access else {
            // Another's token tells nothing about this user.
            insiders.withLock { $0.set(nil, for: roomID) }
            return .homeserverUnavailable
        }
        return .tokenRejected(errcode: errcode, isSoftLogout: isSoftLogout)
    }
}

extension Result where Success: Sendable {
    /// What `work` comes to.
    fileprivate init(_ work: () async throws(Failure) -> Success) async {
        do throws(Failure) {
            self = .success(try await work())
        } catch {
            self = .failure(error)
        }
    }
}

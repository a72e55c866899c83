// What a homeserver answers, as far as it is read (Matrix client-server and federation API 1.13).

struct Versions: Decodable { let versions: [String] }

/// `GET /account/whoami`.
struct WhoAmI: Decodable, Sendable {
    let userID: String
    let deviceID: String?
    let isGuest: Bool?

    enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case deviceID = "device_id"
        case isGuest = "is_guest"
    }
}

/// The content of `m.room.member`.
struct Member: Decodable, Sendable { let membership: String }

/// `GET /rooms/{roomId}/joined_members`; only the ids are wanted.
struct JoinedMembers: Decodable {
    struct Profile: Decodable {}
    let joined: [String: Profile]
}

/// `PUT /rooms/{roomId}/send/{eventType}/{txnId}`.
struct SentEvent: Decodable {
    let eventID: String

    enum CodingKeys: String, CodingKey {
        case eventID = "event_id"
    }
}

/// `POST /appservice/{appserviceId}/ping`.
struct Pong: Decodable {
    let durationMilliseconds: Int64

    enum CodingKeys: String, CodingKey { case durationMilliseconds = "duration_ms" }
}

/// The content of `m.room.encryption`; that there is one is all that matters.
struct Encryption: Decodable, Sendable {}

/// `GET /openid/userinfo`.
struct UserInfo: Decodable { let sub: String }

/// The standard form of errors.
struct Refusal: Decodable {
    let errcode: String?
    let softLogout: Bool?
    /// Of 429.
    let retryAfterMilliseconds: Int64?

    enum CodingKeys: String, CodingKey {
        case errcode
        case retryAfterMilliseconds = "retry_after_ms"
        case softLogout = "soft_logout"
    }
}

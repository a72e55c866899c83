/// Who has which power in a room (Matrix client-server API, `m.room.power_levels`).
struct PowerLevels: Sendable {
    /// The content of `m.room.power_levels`, as far as it is read.
    struct Content: Decodable, Sendable {
        let users: [String: Int]?
        let usersDefault: Int?

        enum CodingKeys: String, CodingKey {
            case users
            case usersDefault = "users_default"
        }
    }

    /// `m.room.create`, as far as it is read.
    struct Creation: Decodable, Sendable {
        struct Content: Decodable, Sendable {
            let roomVersion: String?
            let additionalCreators: [String]?

            enum CodingKeys: String, CodingKey {
                case roomVersion = "room_version"
                case additionalCreators = "additional_creators"
            }
        }

        let sender: String
        let content: Content

        /// From version 12 on, whoever created a room has more power than any number says. Other versions have numbers up to 11.
        var hasPowerfulCreators: Bool { content.roomVersion.flatMap { Int($0) }.map { $0 >= 12 } ?? false }
    }

    let content: Content?
    let creation: Creation?

    /// The user's power.
    func power(of user: String) -> Int {
        if let creation, creation.hasPowerfulCreators {
            if user == creation.sender || creation.content.additionalCreators?.contains(user) == true { return .max }
        }
        guard let content else { return user == creation?.sender ? 100 : 0 }
        return content.users?[user] ?? content.usersDefault ?? 0
    }
}

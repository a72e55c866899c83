public import CallModel
public import SocketIO

/// The members of a request's JSON object, each read with its type and limit checked. Unknown members are passed over:
/// what goes out again is built from known ones.
public struct RequestBody: Sendable {
    private let members: [JSONMember]

    /// More members than any request has.
    private static let memberLimit = 64

    /// Takes an object.
    public init(_ json: JSONText) throws(CallFailure) {
        guard let members = json.members(limit: Self.memberLimit) else {
            throw .invalid(detail: "Expected a JSON object of at most \(Self.memberLimit) members.")
        }
        self.members = members
    }

    /// A member's value as it was written; `nil` if it is missing or `null`.
    public func value(_ name: String) -> JSONText? {
        guard let value = raw(name), !value.isNull else { return nil }
        return value
    }

    /// A member's value as it was written, `null` included. The last one counts, as in JavaScript.
    public func raw(_ name: String) -> JSONText? {
        members.last { $0.name == name }?.value
    }

    /// A string of 1 to `limit` bytes; `nil` if it is missing.
    public func string(_ name: String, limit: Int) throws(CallFailure) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.stringValue, Self.isPlain(text, limit: limit) else {
            throw .invalid(detail: "\(name) must be a string of 1 to \(limit) bytes.")
        }
        return text
    }

    /// A string that has to be there.
    public func requiredString(_ name: String, limit: Int) throws(CallFailure) -> String {
        guard let text = try string(name, limit: limit) else { throw .invalid(detail: "\(name) is missing.") }
        return text
    }

    /// True or false; `nil` if it is missing.
    public func boolean(_ name: String) throws(CallFailure) -> Bool? {
        guard let value = value(name) else { return nil }
        guard let flag = value.booleanValue else { throw .invalid(detail: "\(name) must be true or false.") }
        return flag
    }

    /// True or false that has to be there.
    public func requiredBoolean(_ name: String) throws(CallFailure) -> Bool {
        guard let flag = try boolean(name) else { throw .invalid(detail: "\(name) is missing.") }
        return flag
    }

    /// A whole number that is not negative; `nil` if it is missing.
    public func count(_ name: String) throws(CallFailure) -> Int64? {
        guard let value = value(name) else { return nil }
        guard let number = value.integerValue, number >= 0 else {
            throw .invalid(detail: "\(name) must be a whole number of at least 0.")
        }
        return Int64(number)
    }

    /// One of the cases of an enumeration; `nil` if it is missing.
    public func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String,
        of type: Choice.Type
    ) throws(CallFailure) -> Choice? where Choice.RawValue == String {
        guard let value = value(name) else { return nil }
        guard let choice = value.stringValue.flatMap(Choice.init(rawValue:)) else {
            let known = type.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid(detail: "\(name) must be one of \(known).")
        }
        return choice
    }

    /// A list of identifiers; `nil` if it is missing. Longer than `limit`: refused.
    public func identifiers(_ name: String, limit: Int) throws(CallFailure) -> [String]? {
        guard let value = value(name) else { return nil }
        guard value.kind == .array else { throw .invalid(detail: "\(name) must be an array of user ids.") }
        guard let elements = value.elements(limit: limit) else { throw .tooManyInvitees(limit: limit) }
        var identifiers: [String] = []
        for element in elements {
            guard let text = element.stringValue, Self.isPlain(text, limit: CallLimits.identifierLength) else {
                throw .invalid(detail: "\(name) must hold user ids of 1 to \(CallLimits.identifierLength) bytes.")
            }
            identifiers.append(text)
        }
        return identifiers
    }

    /// Neither empty nor too long, and without NUL, which no database column takes.
    private static func isPlain(_ text: String, limit: Int) -> Bool {
        !text.isEmpty && text.utf8.count <= limit && !text.utf8.contains(0)
    }

    /// Refuses a body that names another user than the token does.
    public func requireUser(_ user: UserID) throws(CallFailure) {
        guard let named = value("userId") else { return }
        guard named.stringValue == user else { throw .userMismatch }
    }
}

extension SocketPacket {
    /// Names that mean something else to both sides and cannot be sent as events.
    private static let reservedEvents: Set<String> = [
        "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
    ]

    /// The arguments of an event or acknowledgement, after checking that the payload suits the kind.
    func checkedArguments(limits: SocketConfiguration) throws(SocketPacketFailure) -> [JSONText] {
        switch kind {
        case .connect:
            guard payload == nil || payload?.kind == .object else { throw .illegalPayload }
            return []
        case .disconnect:
            guard payload == nil else { throw .illegalPayload }
            return []
        case .connectError:
            throw .illegalPayload
        case .event, .binaryEvent:
            let arguments = try elements(limit: limits.maximumArguments)
            guard let first = arguments.first else { throw .illegalPayload }
            switch first.kind {
            case .number: return arguments
            case .string:
                if let name = first.stringValue, Self.reservedEvents.contains(name) { throw .illegalPayload }
                return arguments
            case .object, .array, .boolean, .null: throw .illegalPayload
            }
        case .acknowledgement, .binaryAcknowledgement:
            return try elements(limit: limits.maximumArguments)
        }
    }

    private func elements(limit: Int) throws(SocketPacketFailure) -> [JSONText] {
        guard let payload, payload.kind == .array else { throw .illegalPayload }
        guard let elements = payload.elements(limit: limit) else { throw .tooManyArguments }
        return elements
    }

    /// Checks that each placeholder names an attachment that this packet has.
    func checkPlaceholders(in arguments: [JSONText]) throws(SocketPacketFailure) {
        for argument in arguments {
            guard argument.placeholdersAreBelow(attachmentCount) else { throw .illegalAttachment }
        }
    }
}

extension JSONText {
    /// Whether each `{"_placeholder":true,"num":n}` inside has an `n` in `0..<count`. The scanner's limit on depth
    /// bounds the recursion.
    fileprivate func placeholdersAreBelow(_ count: Int) -> Bool {
        switch kind {
        case .array:
            return elements(limit: .max)?.allSatisfy { $0.placeholdersAreBelow(count) } ?? true
        case .object:
            let members = members(limit: .max) ?? []
            if members.last(where: { $0.name == "_placeholder" })?.value.booleanValue == true {
                guard let number = members.last(where: { $0.name == "num" })?.value.integerValue else { return false }
                return 0..<max(count, 0) ~= number
            }
            return members.allSatisfy { $0.value.placeholdersAreBelow(count) }
        case .string, .number, .boolean, .null:
            return true
        }
    }
}

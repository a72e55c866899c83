import CallModel
import Postgres

/// Rows of the statements that read calls, in the order of their columns.
extension PostgresResult {
    /// The calls of these rows, one row a participant, in their order.
    func calls() throws(StoreFailure) -> [Call] {
        var calls: [Call] = []
        var row = 0
        while row < rowCount {
            let id = text(row, 0)
            let first = row
            var participants: [Participant] = []
            while row < rowCount, text(row, 0) == id {
                participants.append(try participant(row))
                row += 1
            }
            calls.append(try call(first, participants))
        }
        return calls
    }

    private func call(_ row: Int, _ participants: [Participant]) throws(StoreFailure) -> Call {
        guard let id = text(row, 0).flatMap(CallID.init), let roomID = text(row, 1),
            let callType = text(row, 2).flatMap(CallType.init(rawValue:)), let isGroup = boolean(row, 3),
            let isRelayOnly = boolean(row, 4), let state = text(row, 5).flatMap(CallState.init(rawValue:)),
            let createdBy = text(row, 6), let createdAt = time(row, 7), let sequence = number(row, 12),
            let version = number(row, 13)
        else { throw .corrupt(operation: "read call") }
        return Call(
            id: id,
            roomID: roomID,
            callType: callType,
            isGroup: isGroup,
            isRelayOnly: isRelayOnly,
            state: state,
            createdBy: createdBy,
            createdAt: createdAt,
            answeredAt: time(row, 8),
            endedAt: time(row, 9),
            endReason: text(row, 10).flatMap(EndReason.init(rawValue:)),
            endedBy: text(row, 11),
            sequence: sequence,
            version: version,
            participants: participants,
            ringDeadline: time(row, 14),
            connectDeadline: time(row, 15),
            purgeDeadline: time(row, 16)
        )
    }

    private func participant(_ row: Int) throws(StoreFailure) -> Participant {
        guard let userID = text(row, 17), let state = text(row, 19).flatMap(ParticipantState.init(rawValue:)),
            let audioEnabled = boolean(row, 20), let videoEnabled = boolean(row, 21),
            let sessionSequence = number(row, 25)
        else { throw .corrupt(operation: "read participant") }
        var relay: RelayUse?
        if let sent = number(row, 27), let received = number(row, 28) {
            relay = RelayUse(bytesSent: sent, bytesReceived: received)
        }
        return Participant(
            userID: userID,
            deviceID: text(row, 18),
            state: state,
            audioEnabled: audioEnabled,
            videoEnabled: videoEnabled,
            joinedAt: time(row, 22),
            leftAt: time(row, 23),
            session: text(row, 24),
            sessionSequence: sessionSequence,
            graceDeadline: time(row, 26),
            relay: relay
        )
    }

    /// Rows of `listEvents`.
    func events() throws(StoreFailure) -> [CallEvent] {
        try rows("read event") { row in
            guard let sequence = number(row, 0), let name = text(row, 1), let at = time(row, 7),
                let kind = CallEventKind(
                    name: name,
                    detail: text(row, 2),
                    recipient: text(row, 5),
                    size: number(row, 6)
                )
            else { return nil }
            return CallEvent(sequence: sequence, kind: kind, at: at, userID: text(row, 3), deviceID: text(row, 4))
        }
    }

    /// Rows of `listSignals`.
    func signals(of id: CallID) throws(StoreFailure) -> [OutgoingEvent] {
        try rows("read signal") { row in
            guard let sequence = number(row, 0), let name = text(row, 1),
                let scope = text(row, 2).flatMap(EventScope.init(rawValue:)), let payload = text(row, 5)
            else { return nil }
            return OutgoingEvent(
                callID: id,
                sequence: sequence,
                name: name,
                scope: scope,
                sender: text(row, 3),
                recipient: text(row, 4),
                payload: payload
            )
        }
    }

    /// The ids of calls in the first column.
    func callIDs() throws(StoreFailure) -> [CallID] {
        try rows("read call") { text($0, 0).flatMap(CallID.init) }
    }

    /// Rows of `findEndedCalls`.
    func endings() throws(StoreFailure) -> [CallEnding] {
        try rows("read call") { row in
            guard let id = text(row, 0).flatMap(CallID.init), let endedAt = time(row, 1) else { return nil }
            return CallEnding(callID: id, endedAt: endedAt)
        }
    }

    /// Rows of `findLostSessions`.
    func sessions() throws(StoreFailure) -> [NodeSession] {
        try rows("read session") { row in
            guard let id = text(row, 0).flatMap(CallID.init), let user = text(row, 1), let session = text(row, 2) else {
                return nil
            }
            return NodeSession(callID: id, userID: user, session: session)
        }
    }

    /// Rows of `claimNotices`.
    func notices() throws(StoreFailure) -> [StoredNotice] {
        try rows("read notice") { row in
            guard let id = text(row, 0).flatMap(CallID.init), let sequence = number(row, 1), let name = text(row, 2),
                let payload = text(row, 3), let attempts = number(row, 4), let createdAt = time(row, 5)
            else { return nil }
            let notice = CallNotice(sequence: sequence, id: name, payload: payload)
            return StoredNotice(callID: id, notice: notice, attempts: Int(attempts), createdAt: createdAt)
        }
    }

    func rows<Value>(_ operation: String, _ read: (Int) -> Value?) throws(StoreFailure) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(rowCount)
        for row in 0..<rowCount {
            guard let value = read(row) else { throw .corrupt(operation: operation) }
            values.append(value)
        }
        return values
    }

    private func time(_ row: Int, _ column: Int) -> Timestamp? {
        number(row, column).map(Timestamp.init(milliseconds:))
    }
}

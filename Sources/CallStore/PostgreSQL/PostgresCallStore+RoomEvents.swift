public import CallModel
import Postgres

extension PostgresCallStore {
    /// Events for rooms that may be sent now.
    public func dueRoomEvents(at now: Timestamp, limit: Int) async throws(StoreFailure) -> [WaitingRoomEvent] {
        let find = PostgresCommand(.dueRoomEvents) {
            $0.append(now.milliseconds)
            $0.append(Int64(limit))
        }
        return try await read(find) { result throws(StoreFailure) in try result.waitingRoomEvents() }
    }

    /// Claims an event to send it.
    public func claim(
        _ waiting: WaitingRoomEvent,
        device: DeviceID,
        at now: Timestamp,
        until: Timestamp
    ) async throws(StoreFailure) -> StoredRoomEvent? {
        let claim = PostgresCommand(.claimRoomEvent) {
            $0.append(waiting.place)
            $0.append(waiting.device)
            $0.append(device)
            $0.append(now.milliseconds)
            $0.append(until.milliseconds)
        }
        return try await write("claim room event", lock: .roomEvent(waiting.place.callID.rawValue), [claim]) {
            results in
            Result { () throws(StoreFailure) in try results[0].roomEvents(isRepetition: waiting.device != nil).first }
        }
    }

    /// Writes down what came of sending an event.
    public func settle(_ event: StoredRoomEvent, _ outcome: RoomEventOutcome) async throws(StoreFailure) {
        let command =
            switch outcome {
            case .sent, .leftToClient:
                PostgresCommand(.roomEventSent) {
                    $0.append(event.place)
                    $0.append(outcome.eventID)
                }
            case .postponed(let until, let byAnyDevice):
                PostgresCommand(.postponeRoomEvent) {
                    $0.append(event.place)
                    $0.append(until.milliseconds)
                    $0.append(byAnyDevice)
                }
            case .undeliverable(let reason):
                PostgresCommand(.giveUpRoomEvent) {
                    $0.append(event.place)
                    $0.append(reason)
                }
            }
        try await write("settle room event", lock: .roomEvent(event.callID.rawValue), [command]) { _ in .success(()) }
    }

    /// Gives up events whose time is over, or whose call's invite will never be there.
    public func giveUpRoomEvents(at now: Timestamp, limit: Int) async throws(StoreFailure) {
        let command = PostgresCommand(.giveUpRoomEvents) {
            $0.append(now.milliseconds)
            $0.append(UndeliverableRoomEvent.expired)
            $0.append(UndeliverableRoomEvent.orphaned)
            $0.append(Int64(limit))
        }
        try await write("give up room events", lock: .roomEvent(""), [command]) { _ in .success(()) }
    }

    /// Claims events that were given up and are not in the audit yet.
    public func claimUnaudited(
        at now: Timestamp,
        until: Timestamp,
        limit: Int
    ) async throws(StoreFailure) -> [UndeliverableRoomEvent] {
        let claim = PostgresCommand(.claimUnaudited) {
            $0.append(now.milliseconds)
            $0.append(until.milliseconds)
            $0.append(Int64(limit))
        }
        return try await write("claim unaudited room events", lock: .roomEvent(""), [claim]) { results in
            Result { () throws(StoreFailure) in try results[0].undeliverableRoomEvents() }
        }
    }

    /// The audit tells of it.
    public func settleAudit(of place: RoomEventPlace) async throws(StoreFailure) {
        let command = PostgresCommand(.settleAudit) { $0.append(place) }
        let lock = PostgresPlan.Lock.roomEvent(place.callID.rawValue)
        try await write("settle audit of room event", lock: lock, [command]) { _ in .success(()) }
    }
}

extension PostgresValues {
    fileprivate mutating func append(_ place: RoomEventPlace) {
        append(place.callID.rawValue)
        append(place.sequence)
        append(Int64(place.part))
    }
}

extension PostgresResult {
    /// Rows of `dueRoomEvents`.
    fileprivate func waitingRoomEvents() throws(StoreFailure) -> [WaitingRoomEvent] {
        try rows("read room event") { row in
            guard let place = roomEventPlace(row), let sender = text(row, 3) else { return nil }
            return WaitingRoomEvent(place: place, sender: sender, device: text(row, 4))
        }
    }

    /// Rows of `claimRoomEvent`.
    fileprivate func roomEvents(isRepetition: Bool) throws(StoreFailure) -> [StoredRoomEvent] {
        try rows("read room event") { row in
            guard let place = roomEventPlace(row), let roomID = text(row, 3), let type = text(row, 4),
                let sender = text(row, 5), let content = text(row, 6), let transactionID = text(row, 7),
                let attempts = number(row, 8), let expiresAt = number(row, 9)
            else { return nil }
            let event = RoomEvent(
                sequence: place.sequence,
                part: place.part,
                type: type,
                sender: sender,
                content: content,
                transactionID: transactionID,
                expiresAt: Timestamp(milliseconds: expiresAt)
            )
            return StoredRoomEvent(
                callID: place.callID,
                roomID: roomID,
                event: event,
                attempts: Int(attempts),
                isRepetition: isRepetition
            )
        }
    }

    /// Rows of `claimUnaudited`.
    fileprivate func undeliverableRoomEvents() throws(StoreFailure) -> [UndeliverableRoomEvent] {
        try rows("read room event") { row in
            guard let place = roomEventPlace(row), let type = text(row, 3), let sender = text(row, 4),
                let reason = text(row, 5)
            else { return nil }
            return UndeliverableRoomEvent(place: place, type: type, sender: sender, reason: reason)
        }
    }

    private func roomEventPlace(_ row: Int) -> RoomEventPlace? {
        guard let id = text(row, 0).flatMap(CallID.init), let sequence = number(row, 1), let part = number(row, 2)
        else { return nil }
        return RoomEventPlace(callID: id, sequence: sequence, part: Int(part))
    }
}

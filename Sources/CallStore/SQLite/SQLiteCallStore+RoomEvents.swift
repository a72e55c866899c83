public import CallModel
import GRDB

extension SQLiteCallStore {
    static let insertRoomEvent = """
        INSERT INTO call_room_events (
            call_id, room_id, next_attempt, created_at, seq, part, event_type, sender, content, transaction_id, expires_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    /// Events for rooms that may be sent now.
    public func dueRoomEvents(at now: Timestamp, limit: Int) async throws(StoreFailure) -> [WaitingRoomEvent] {
        try await read("find room events") { db in
            let find = try db.cachedStatement(
                sql: """
                    SELECT call_id, seq, part, sender, sender_device FROM call_room_events AS due
                    WHERE next_attempt <= ? AND event_id IS NULL AND undeliverable IS NULL AND NOT EXISTS (
                        SELECT 1 FROM call_room_events AS earlier
                        WHERE earlier.room_id = due.room_id AND earlier.sender = due.sender
                            AND earlier.event_id IS NULL AND earlier.undeliverable IS NULL
                            AND (earlier.created_at, earlier.call_id, earlier.seq, earlier.part)
                                < (due.created_at, due.call_id, due.seq, due.part)
                    ) AND NOT EXISTS (
                        SELECT 1 FROM call_room_events AS invite
                        WHERE invite.call_id = due.call_id AND (invite.seq, invite.part) < (due.seq, due.part)
                            AND invite.event_type = 'm.call.invite'
                            AND invite.event_id IS NULL AND invite.undeliverable IS NULL)
                    ORDER BY next_attempt LIMIT ?
                    """
            )
            return try Row.fetchAll(find, arguments: [now.milliseconds, limit]).map { row in
                guard let id = CallID(row["call_id"]) else { throw StoreFailure.corrupt(operation: "read room event") }
                return WaitingRoomEvent(
                    place: RoomEventPlace(callID: id, sequence: row["seq"], part: row["part"]),
                    sender: row["sender"],
                    device: row["sender_device"]
                )
            }
        }
    }

    /// Claims an event to send it.
    public func claim(
        _ waiting: WaitingRoomEvent,
        device: DeviceID,
        at now: Timestamp,
        until: Timestamp
    ) async throws(StoreFailure) -> StoredRoomEvent? {
        try await write("claim room event") { db in
            let place = Self.arguments(waiting.place)
            try db.cachedStatement(
                sql: """
                    UPDATE call_room_events SET next_attempt = ?, attempts = attempts + 1, sender_device = ?
                    WHERE call_id = ? AND seq = ? AND part = ? AND next_attempt <= ? AND event_id IS NULL
                        AND undeliverable IS NULL AND sender_device IS ?
                    """
            ).execute(arguments: [until.milliseconds, device] + place + [now.milliseconds, waiting.device])
            guard db.changesCount == 1 else { return nil }
            let find = try db.cachedStatement(
                sql: """
                    SELECT room_id, event_type, sender, content, transaction_id, attempts, expires_at
                    FROM call_room_events WHERE call_id = ? AND seq = ? AND part = ?
                    """
            )
            guard let row = try Row.fetchOne(find, arguments: place) else {
                throw StoreFailure.corrupt(operation: "read room event")
            }
            let event = RoomEvent(
                sequence: waiting.place.sequence,
                part: waiting.place.part,
                type: row["event_type"],
                sender: row["sender"],
                content: row["content"],
                transactionID: row["transaction_id"],
                expiresAt: Timestamp(milliseconds: row["expires_at"])
            )
            return StoredRoomEvent(
                callID: waiting.place.callID,
                roomID: row["room_id"],
                event: event,
                attempts: row["attempts"]
            )
        }
    }

    /// Writes down what came of sending an event.
    public func settle(
        _ event: StoredRoomEvent,
        _ outcome: RoomEventOutcome
    ) async throws(StoreFailure) -> [UndeliverableRoomEvent] {
        try await write("settle room event") { db in
            let place = Self.arguments(event.place)
            switch outcome {
            case .sent(let eventID):
                try db.cachedStatement(
                    sql: "UPDATE call_room_events SET event_id = ? WHERE call_id = ? AND seq = ? AND part = ?"
                ).execute(arguments: [eventID] + place)
                return []
            case .postponed(let until):
                try db.cachedStatement(
                    sql: "UPDATE call_room_events SET next_attempt = ? WHERE call_id = ? AND seq = ? AND part = ?"
                ).execute(arguments: [until.milliseconds] + place)
                return []
            case .undeliverable(let reason):
                let row = UndeliverableRoomEvent(
                    callID: event.callID,
                    type: event.event.type,
                    sender: event.event.sender,
                    reason: reason
                )
                try Self.giveUp(event.place, reason, db)
                return try [row] + Self.orphans(of: [row], db)
            }
        }
    }

    /// Gives up the events whose time is over.
    public func giveUpRoomEvents(
        at now: Timestamp,
        limit: Int
    ) async throws(StoreFailure) -> [UndeliverableRoomEvent] {
        let overdue = try await read("find overdue room events") { db in
            let find = try db.cachedStatement(
                sql: """
                    SELECT 1 FROM call_room_events WHERE next_attempt <= ? AND event_id IS NULL AND undeliverable IS NULL
                        AND expires_at <= ? LIMIT 1
                    """
            )
            return try Row.fetchOne(find, arguments: [now.milliseconds, now.milliseconds]) != nil
        }
        // The one writer is not kept busy with nothing.
        guard overdue else { return [] }
        return try await write("give up room events") { db in
            let find = try db.cachedStatement(
                sql: """
                    SELECT call_id, seq, part, event_type, sender FROM call_room_events
                    WHERE next_attempt <= ? AND event_id IS NULL AND undeliverable IS NULL AND expires_at <= ?
                    ORDER BY next_attempt LIMIT ?
                    """
            )
            let rows = try Row.fetchAll(find, arguments: [now.milliseconds, now.milliseconds, limit])
            let given = try rows.map { row in
                guard let id = CallID(row["call_id"]) else { throw StoreFailure.corrupt(operation: "read room event") }
                let place = RoomEventPlace(callID: id, sequence: row["seq"], part: row["part"])
                try Self.giveUp(place, UndeliverableRoomEvent.expired, db)
                return UndeliverableRoomEvent(
                    callID: id,
                    type: row["event_type"],
                    sender: row["sender"],
                    reason: UndeliverableRoomEvent.expired
                )
            }
            return try given + Self.orphans(of: given, db)
        }
    }

    private static func arguments(_ place: RoomEventPlace) -> StatementArguments {
        [place.callID.rawValue, place.sequence, place.part]
    }

    private static func giveUp(_ place: RoomEventPlace, _ reason: String, _ db: Database) throws {
        try db.cachedStatement(
            sql: "UPDATE call_room_events SET undeliverable = ? WHERE call_id = ? AND seq = ? AND part = ?"
        ).execute(arguments: [reason] + arguments(place))
    }

    /// Gives up what means nothing without the invites among `given`.
    private static func orphans(
        of given: [UndeliverableRoomEvent],
        _ db: Database
    ) throws -> [UndeliverableRoomEvent] {
        try given.filter { $0.type == RoomEvent.inviteType }.flatMap { invite in
            let orphan = try db.cachedStatement(
                sql: """
                    UPDATE call_room_events SET undeliverable = ?
                    WHERE call_id = ? AND event_id IS NULL AND undeliverable IS NULL RETURNING event_type, sender
                    """
            )
            let rows = try Row.fetchAll(
                orphan,
                arguments: [UndeliverableRoomEvent.orphaned, invite.callID.rawValue]
            )
            return rows.map {
                UndeliverableRoomEvent(
                    callID: invite.callID,
                    type: $0["event_type"],
                    sender: $0["sender"],
                    reason: UndeliverableRoomEvent.orphaned
                )
            }
        }
    }
}

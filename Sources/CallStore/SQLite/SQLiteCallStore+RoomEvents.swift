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
                            AND invite.event_type = 'm.call.invite' AND invite.event_id IS NULL)
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
                attempts: row["attempts"],
                isRepetition: waiting.device != nil
            )
        }
    }

    /// Writes down what came of sending an event.
    public func settle(_ event: StoredRoomEvent, _ outcome: RoomEventOutcome) async throws(StoreFailure) {
        try await write("settle room event") { db in
            let place = Self.arguments(event.place)
            switch outcome {
            case .sent, .leftToClient:
                try db.cachedStatement(
                    sql: "UPDATE call_room_events SET event_id = ? WHERE call_id = ? AND seq = ? AND part = ?"
                ).execute(arguments: [outcome.eventID] + place)
            case .postponed(let until, let byAnyDevice):
                try db.cachedStatement(
                    sql: """
                        UPDATE call_room_events
                        SET next_attempt = ?, sender_device = CASE WHEN ? THEN NULL ELSE sender_device END
                        WHERE call_id = ? AND seq = ? AND part = ?
                        """
                ).execute(arguments: [until.milliseconds, byAnyDevice] + place)
            case .undeliverable(let reason):
                try db.cachedStatement(
                    sql: """
                        UPDATE call_room_events SET undeliverable = ?, next_attempt = 0
                        WHERE call_id = ? AND seq = ? AND part = ?
                        """
                ).execute(arguments: [reason] + place)
            }
        }
    }

    /// Gives up events whose time is over, or whose call's invite will never be there.
    public func giveUpRoomEvents(at now: Timestamp, limit: Int) async throws(StoreFailure) {
        let hopeless = """
            FROM call_room_events AS event
            WHERE next_attempt <= ? AND event_id IS NULL AND undeliverable IS NULL AND (expires_at <= ? OR EXISTS (
                SELECT 1 FROM call_room_events AS invite WHERE invite.call_id = event.call_id
                    AND invite.event_type = 'm.call.invite' AND invite.undeliverable IS NOT NULL))
            """
        let isNeeded = try await read("find hopeless room events") { db in
            let find = try db.cachedStatement(sql: "SELECT 1 " + hopeless + " LIMIT 1")
            return try Row.fetchOne(find, arguments: [now.milliseconds, now.milliseconds]) != nil
        }
        // The one writer is not kept busy with nothing.
        guard isNeeded else { return }
        try await write("give up room events") { db in
            let find = try db.cachedStatement(
                sql: "SELECT call_id, seq, part, expires_at " + hopeless + " ORDER BY next_attempt LIMIT ?"
            )
            let giveUp = try db.cachedStatement(
                sql: """
                    UPDATE call_room_events SET undeliverable = ?, next_attempt = 0
                    WHERE call_id = ? AND seq = ? AND part = ?
                    """
            )
            for row in try Row.fetchAll(find, arguments: [now.milliseconds, now.milliseconds, limit]) {
                let isLate: Bool = row["expires_at"] <= now.milliseconds
                let reason = isLate ? UndeliverableRoomEvent.expired : UndeliverableRoomEvent.orphaned
                let place: StatementArguments = [row["call_id"], row["seq"], row["part"]]
                try giveUp.execute(arguments: [reason] + place)
            }
        }
    }

    /// Claims events that were given up and are not in the audit yet.
    public func claimUnaudited(
        at now: Timestamp,
        until: Timestamp,
        limit: Int
    ) async throws(StoreFailure) -> [UndeliverableRoomEvent] {
        let unaudited = """
            FROM call_room_events WHERE undeliverable IS NOT NULL AND is_audited = 0 AND next_attempt <= ?
            """
        let isNeeded = try await read("find unaudited room events") { db in
            let find = try db.cachedStatement(sql: "SELECT 1 " + unaudited + " LIMIT 1")
            return try Row.fetchOne(find, arguments: [now.milliseconds]) != nil
        }
        guard isNeeded else { return [] }
        return try await write("claim unaudited room events") { db in
            let find = try db.cachedStatement(
                sql: "SELECT call_id, seq, part, event_type, sender, undeliverable " + unaudited
                    + " ORDER BY next_attempt LIMIT ?"
            )
            let claim = try db.cachedStatement(
                sql: "UPDATE call_room_events SET next_attempt = ? WHERE call_id = ? AND seq = ? AND part = ?"
            )
            return try Row.fetchAll(find, arguments: [now.milliseconds, limit]).map { row in
                guard let id = CallID(row["call_id"]) else { throw StoreFailure.corrupt(operation: "read room event") }
                let place = RoomEventPlace(callID: id, sequence: row["seq"], part: row["part"])
                try claim.execute(arguments: [until.milliseconds] + Self.arguments(place))
                return UndeliverableRoomEvent(
                    place: place,
                    type: row["event_type"],
                    sender: row["sender"],
                    reason: row["undeliverable"]
                )
            }
        }
    }

    /// The audit tells of it.
    public func settleAudit(of place: RoomEventPlace) async throws(StoreFailure) {
        try await write("settle audit of room event") { db in
            try db.cachedStatement(
                sql: "UPDATE call_room_events SET is_audited = 1 WHERE call_id = ? AND seq = ? AND part = ?"
            ).execute(arguments: Self.arguments(place))
        }
    }

    private static func arguments(_ place: RoomEventPlace) -> StatementArguments {
        [place.callID.rawValue, place.sequence, place.part]
    }
}

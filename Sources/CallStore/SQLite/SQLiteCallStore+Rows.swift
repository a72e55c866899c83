import CallModel
import GRDB

extension SQLiteCallStore {
    /// The order of `callArguments`; the room's one active call is a matter of the index.
    static let insertCall = """
        INSERT INTO call_sessions (
            room_id, call_type, is_group, is_relay_only, state, created_by, created_at, answered_at, ended_at,
            end_reason, ended_by, seq, version, ring_deadline, connect_deadline, purge_deadline, next_deadline, call_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (room_id) WHERE state <> 'ended' DO NOTHING
        """

    static let updateCall = """
        UPDATE call_sessions SET
            room_id = ?, call_type = ?, is_group = ?, is_relay_only = ?, state = ?, created_by = ?, created_at = ?,
            answered_at = ?, ended_at = ?, end_reason = ?, ended_by = ?, seq = ?, version = ?, ring_deadline = ?,
            connect_deadline = ?, purge_deadline = ?, next_deadline = ?
        WHERE call_id = ? AND version = ? AND seq = ?
        """

    /// For what changes nothing else, which is most of what happens: whoever appended before, this comes after it.
    static let moveSequence = "UPDATE call_sessions SET seq = seq + ? WHERE call_id = ? AND version = ? RETURNING seq"

    static func callArguments(_ call: Call) -> StatementArguments {
        [
            call.roomID, call.callType.rawValue, call.isGroup, call.isRelayOnly, call.state.rawValue, call.createdBy,
            call.createdAt.milliseconds, call.answeredAt?.milliseconds, call.endedAt?.milliseconds,
            call.endReason?.rawValue, call.endedBy, call.sequence, call.version, call.ringDeadline?.milliseconds,
            call.connectDeadline?.milliseconds, call.purgeDeadline?.milliseconds, call.nextDeadline?.milliseconds,
            call.id.rawValue,
        ]
    }

    static let insertParticipant = """
        INSERT INTO call_participants (
            device_id, state, audio_enabled, video_enabled, joined_at, left_at, session, session_seq, grace_deadline,
            created_at, is_ended, position, call_id, user_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    static let updateParticipant = """
        UPDATE call_participants SET
            device_id = ?, state = ?, audio_enabled = ?, video_enabled = ?, joined_at = ?, left_at = ?, session = ?,
            session_seq = ?, grace_deadline = ?, created_at = ?, is_ended = ?, position = ?
        WHERE call_id = ? AND user_id = ?
        """

    static func participantArguments(_ participant: Participant, at position: Int, in call: Call) -> StatementArguments
    {
        [
            participant.deviceID, participant.state.rawValue, participant.audioEnabled, participant.videoEnabled,
            participant.joinedAt?.milliseconds, participant.leftAt?.milliseconds, participant.session,
            participant.sessionSequence, participant.graceDeadline?.milliseconds, call.createdAt.milliseconds,
            call.state == .ended, position, call.id.rawValue, participant.userID,
        ]
    }

    /// The calls of these rows, in their order, each with its participants.
    static func calls(_ rows: [Row], _ db: Database) throws -> [Call] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT p.*, r.bytes_sent, r.bytes_received FROM call_participants p
                LEFT JOIN call_relay r ON r.call_id = p.call_id AND r.user_id = p.user_id
                WHERE p.call_id = ? ORDER BY p.position
                """
        )
        return try rows.map { row in
            let id: String = row["call_id"]
            let participants = try Row.fetchAll(statement, arguments: [id]).map(participant)
            return try call(row, id, participants)
        }
    }

    private static func call(_ row: Row, _ id: String, _ participants: [Participant]) throws -> Call {
        guard let callID = CallID(id), let callType = CallType(rawValue: row["call_type"]),
            let state = CallState(rawValue: row["state"])
        else { throw StoreFailure.corrupt(operation: "read call") }
        let reason: String? = row["end_reason"]
        return Call(
            id: callID,
            roomID: row["room_id"],
            callType: callType,
            isGroup: row["is_group"],
            isRelayOnly: row["is_relay_only"],
            state: state,
            createdBy: row["created_by"],
            createdAt: Timestamp(milliseconds: row["created_at"]),
            answeredAt: time(row, "answered_at"),
            endedAt: time(row, "ended_at"),
            endReason: reason.flatMap(EndReason.init(rawValue:)),
            endedBy: row["ended_by"],
            sequence: row["seq"],
            version: row["version"],
            participants: participants,
            ringDeadline: time(row, "ring_deadline"),
            connectDeadline: time(row, "connect_deadline"),
            purgeDeadline: time(row, "purge_deadline")
        )
    }

    private static func participant(_ row: Row) throws -> Participant {
        guard let state = ParticipantState(rawValue: row["state"]) else {
            throw StoreFailure.corrupt(operation: "read participant")
        }
        return Participant(
            userID: row["user_id"],
            deviceID: row["device_id"],
            state: state,
            audioEnabled: row["audio_enabled"],
            videoEnabled: row["video_enabled"],
            joinedAt: time(row, "joined_at"),
            leftAt: time(row, "left_at"),
            session: row["session"],
            sessionSequence: row["session_seq"],
            graceDeadline: time(row, "grace_deadline"),
            relay: relayUse(row)
        )
    }

    private static func relayUse(_ row: Row) -> RelayUse? {
        let sent: Int64? = row["bytes_sent"]
        let received: Int64? = row["bytes_received"]
        guard let sent, let received else { return nil }
        return RelayUse(bytesSent: sent, bytesReceived: received)
    }

    private static func time(_ row: Row, _ column: String) -> Timestamp? {
        let milliseconds: Int64? = row[column]
        return milliseconds.map(Timestamp.init(milliseconds:))
    }
}

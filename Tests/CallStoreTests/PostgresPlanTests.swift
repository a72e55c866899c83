import CallStoreTestSupport
import Postgres
import Testing

@testable import CallStore

@Suite("How PostgreSQL finds what is asked for")
struct PostgresPlanTests {
    /// As many calls as make reading a whole table the worse choice, few of which go on.
    private static let calls = """
        INSERT INTO call_sessions (
            call_id, room_id, call_type, is_group, is_relay_only, state, created_by, created_at, ended_at, end_reason, seq,
            version, ring_deadline, next_deadline)
        SELECT 'call' || n, '!room' || n, 'voice', false, false, CASE WHEN n % 50 = 0 THEN 'ringing' ELSE 'ended' END,
            '@user' || n % 500, n, CASE WHEN n % 50 = 0 THEN NULL ELSE n + 1 END,
            CASE WHEN n % 50 = 0 THEN NULL ELSE 'hangup' END, 10, 10, CASE WHEN n % 50 = 0 THEN n END,
            CASE WHEN n % 50 = 0 THEN n END
        FROM generate_series(1, 10000) AS n;
        INSERT INTO call_participants (
            call_id, user_id, position, state, audio_enabled, video_enabled, session, session_seq, created_at, is_ended)
        SELECT 'call' || n, '@user' || (n + 7 * place) % 500, place, 'joined', true, true,
            CASE WHEN n % 50 = 0 THEN 's' || n END, 1, n, n % 50 <> 0
        FROM generate_series(1, 10000) AS n, generate_series(0, 1) AS place;
        INSERT INTO call_events (call_id, seq, kind, at)
        SELECT 'call' || n, seq, 'joined', n FROM generate_series(1, 10000) AS n, generate_series(1, 10) AS seq;
        INSERT INTO call_signals (call_id, seq, event, scope, payload)
        SELECT 'call' || n, seq, 'ice-candidate', 'joined', '{}'
        FROM generate_series(50, 10000, 50) AS n, generate_series(1, 100) AS seq;
        INSERT INTO call_relay SELECT call_id, user_id, 1, 1 FROM call_participants;
        INSERT INTO idempotency_keys (user_id, route, key, body_hash, claimed_at)
        SELECT '@user' || n, '/', 'key' || n, 'hash', n FROM generate_series(1, 10000) AS n;
        INSERT INTO call_outbox (call_id, seq, notice_id, payload, next_attempt, created_at, given_up_at)
        SELECT 'call' || n, seq, n || '.' || seq, '{}', n, n, CASE WHEN n % 50 = 0 THEN n END
        FROM generate_series(1, 10000) AS n, generate_series(1, 2) AS seq;
        INSERT INTO call_room_events (
            call_id, room_id, seq, part, event_type, sender, content, transaction_id, next_attempt, created_at, expires_at,
            event_id)
        SELECT 'call' || n, '!room' || n, seq, 0, CASE WHEN seq = 1 THEN 'm.call.invite' ELSE 'm.call.hangup' END, '@user' || n % 500, '{}',
            n || '.' || seq, n, n, n, CASE WHEN n % 50 = 0 THEN NULL ELSE '$' || n END
        FROM generate_series(1, 10000) AS n, generate_series(1, 3) AS seq;
        ANALYZE call_sessions, call_participants, call_events, call_signals, call_relay, idempotency_keys, call_outbox,
            call_room_events;
        """

    private static let writing: [PostgresStatement] = [
        .commitEvents, .commitCall, .commitParticipants, .purgeSignals, .dropOldSignals, .addRelayUse, .pruneCalls,
        .pruneKeys, .readKey, .settleKey, .releaseKey, .releaseKeyAndKeepCall, .lockCall, .claimNotices, .dropNotice,
        .postponeNotice, .giveUpNotice, .claimRoomEvent, .roomEventSent, .postponeRoomEvent, .giveUpRoomEvent,
        .giveUpRoomEvents, .claimUnaudited, .settleAudit,
    ]

    @Test("Every statement finds its rows by an index in a database of many calls")
    func indexes() async throws {
        let fixture = try await StoreFixture(.postgres)
        try await fixture.database.execute(Self.calls)
        for statement in PostgresStatement.reading + Self.writing {
            let plan = try await fixture.database.plan(statement)
            #expect(plan.contains("Index"), "\(statement.name):\n\(plan)")
            #expect(!plan.contains("Seq Scan"), "\(statement.name):\n\(plan)")
        }
        try await fixture.store.close()
    }
}

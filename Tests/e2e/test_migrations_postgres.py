"""The files under migrations/ on a PostgreSQL of its own: by psql alone, by an ordinary role, twice."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import ROLE, PostgreSQL, postgresql

REPOSITORY = Path(__file__).resolve().parents[2]
MIGRATION = REPOSITORY / "migrations" / "004_voice_video_calls.sql"
CALL_RELAY = REPOSITORY / "migrations" / "005_call_relay.sql"


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgreSQL]:
    with postgresql() as server:
        yield server


@pytest.fixture(scope="module")
def migrated(postgres: PostgreSQL) -> PostgreSQL:
    privileges = "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    assert postgres.query(privileges) == ["f"], "an ordinary role"
    first = postgres.psql("-f", str(MIGRATION))
    assert first.returncode == 0, first.stderr
    assert "ERROR" not in first.stderr
    return postgres


def insert_call(identifier: str, room: str = "!r", state: str = "ringing", more: str = "", values: str = "") -> str:
    return (
        "INSERT INTO call_sessions (call_id, room_id, call_type, is_group, is_relay_only, state, created_by,"
        f" created_at, seq, version{more})"
        f" VALUES ('{identifier}', '{room}', 'voice', false, false, '{state}', '@a:hs', 1, 1, 1{values})"
    )


def insert_participant(call: str, user: str, state: str = "joined", position: int = 0, **columns: str) -> str:
    names = "".join(f", {name}" for name in columns)
    values = "".join(f", {value}" for value in columns.values())
    return (
        "INSERT INTO call_participants (call_id, user_id, position, state, audio_enabled, video_enabled, created_at,"
        f" is_ended{names}) VALUES ('{call}', '{user}', {position}, '{state}', true, true, 1, false{values})"
    )


def schema(server: PostgreSQL) -> list[str]:
    return server.query(
        "SELECT table_name || '.' || column_name || ':' || data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY 1"
    ) + server.query("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")


def test_it_applies_twice_and_the_second_time_changes_nothing(migrated: PostgreSQL) -> None:
    before = schema(migrated)
    ledger = migrated.query("SELECT * FROM schema_migrations")
    assert len(ledger) == 1 and ledger[0].startswith("4|004_voice_video_calls|")
    assert migrated.query(insert_call("kept", room="!kept") + " RETURNING call_id")[0] == "kept"
    again = migrated.psql("-f", str(MIGRATION))
    assert again.returncode == 0 and "ERROR" not in again.stderr, again.stderr
    assert schema(migrated) == before
    assert migrated.query("SELECT * FROM schema_migrations") == ledger
    assert migrated.query("SELECT count(*) FROM call_sessions WHERE call_id = 'kept'") == ["1"]


def test_a_foreign_table_of_the_same_name_stops_it_and_nothing_is_left(postgres: PostgreSQL) -> None:
    created = postgres.psql("-c", f"CREATE DATABASE half OWNER {ROLE}", user="admin", database="postgres")
    assert created.returncode == 0, created.stderr
    conflicting = postgres.psql("-c", "CREATE VIEW call_events AS SELECT 1 AS seq", database="half")
    assert conflicting.returncode == 0, conflicting.stderr
    broken = postgres.psql("-f", str(MIGRATION), database="half")
    assert broken.returncode != 0
    count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    left = postgres.psql("-At", "-c", count, database="half")
    assert left.stdout.strip() == "0", "one transaction: all of it or nothing"


def test_the_tables_carry_the_rules(migrated: PostgreSQL) -> None:
    migrated.query(insert_call("c1", room="!rules"))
    assert "call_sessions_one_active_per_room" in migrated.refuses(insert_call("c2", room="!rules"))
    assert "check" in migrated.refuses(insert_call("c3", room="!x", state="dancing"))
    assert "check" in migrated.refuses(insert_call("c4", room="!x", state="ended")), "an ended call has a reason"
    reason = {"more": ", ended_at, end_reason", "values": ", 2, 'boredom'"}
    assert "check" in migrated.refuses(insert_call("c5", room="!x", state="ended", **reason))
    migrated.query("UPDATE call_sessions SET state = 'ended', ended_at = 2, end_reason = 'hangup' WHERE call_id = 'c1'")
    migrated.query(insert_call("c2", room="!rules"))

    migrated.query(insert_participant("c2", "@a:hs"))
    assert "call_participants_pkey" in migrated.refuses(insert_participant("c2", "@a:hs", position=1))
    assert "position" in migrated.refuses(insert_participant("c2", "@b:hs", position=0))
    assert "foreign key" in migrated.refuses(insert_participant("nowhere", "@a:hs"))
    assert "check" in migrated.refuses(insert_participant("c2", "@b:hs", "reconnecting", 1))
    assert "check" in migrated.refuses(insert_participant("c2", "@b:hs", "left", 1, session="'s'"))

    event = "INSERT INTO call_events (call_id, seq, kind, at) VALUES ('c2', {seq}, 'joined', 1)"
    migrated.query(event.format(seq=1))
    assert "call_events_pkey" in migrated.refuses(event.format(seq=1)), "every number once"
    assert "check" in migrated.refuses(event.format(seq=0))
    signal = (
        "INSERT INTO call_signals (call_id, seq, event, scope, payload)"
        " VALUES ('c2', {seq}, 'webrtc-offer', '{scope}', '{{}}')"
    )
    migrated.query(signal.format(seq=1, scope="joined"))
    assert "check" in migrated.refuses(signal.format(seq=2, scope="everybody"))

    migrated.query("DELETE FROM call_sessions WHERE call_id = 'c2'")
    for table in ("call_participants", "call_events", "call_signals"):
        assert migrated.query(f"SELECT count(*) FROM {table} WHERE call_id = 'c2'") == ["0"], "all goes with its call"


def test_relay_use_comes_on_top_twice_and_goes_with_its_call(postgres: PostgreSQL) -> None:
    created = postgres.psql("-c", f"CREATE DATABASE relayed OWNER {ROLE}", user="admin", database="postgres")
    assert created.returncode == 0, created.stderr

    def psql(*arguments: str) -> subprocess.CompletedProcess[str]:
        return postgres.psql("-At", *arguments, database="relayed")

    alone = psql("-f", str(CALL_RELAY))
    assert alone.returncode != 0, "it needs the step before it"
    assert psql("-f", str(MIGRATION)).returncode == 0
    for _ in range(2):
        applied = psql("-f", str(CALL_RELAY))
        assert applied.returncode == 0 and "ERROR" not in applied.stderr, applied.stderr
    assert psql("-c", "SELECT version FROM schema_migrations ORDER BY 1").stdout.split() == ["4", "5"]
    insert = "INSERT INTO call_relay VALUES ('c1', '@a:hs', {bytes}, 0)"
    assert "foreign key" in psql("-c", insert.format(bytes=1)).stderr
    for statement in (
        insert_call("c1"),
        insert_participant("c1", "@a:hs"),
        insert.format(bytes=2**40),
        f"INSERT INTO call_events (call_id, seq, kind, size, at) VALUES ('c1', 1, 'relay-released', {2**40}, 1)",
    ):
        done = psql("-c", statement)
        assert done.returncode == 0, done.stderr
    assert "check" in psql("-c", "UPDATE call_relay SET bytes_sent = -1").stderr
    assert psql("-c", "DELETE FROM call_sessions").returncode == 0
    assert psql("-c", "SELECT count(*) FROM call_relay").stdout.strip() == "0"

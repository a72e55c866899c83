"""The files under migrations/ on a PostgreSQL of its own: by psql alone, by an ordinary role, twice."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MIGRATION = REPOSITORY / "migrations" / "004_voice_video_calls.sql"
CALL_RELAY = REPOSITORY / "migrations" / "005_call_relay.sql"
ROLE, DATABASE = "enterprise_user", "enterprise_db"


def server_programs() -> Path:
    """The newest installed server's programs; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert found, "PostgreSQL is not installed (Debian package: postgresql)"
    return found[-1]


class PostgreSQL:
    """A server on a socket in a folder of its own; the network does not see it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.programs = folder, server_programs()
        # The server refuses to run as root.
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.prefix:
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)

    def run(self, program: str, *arguments: str) -> None:
        command = [*self.prefix, str(self.programs / program), *arguments]
        result = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, f"{program}: {result.stdout}{result.stderr}"

    def start(self) -> None:
        data = str(self.folder / "data")
        self.run("initdb", "-D", data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "-D", data, "-l", str(self.folder / "log"), "-o", options, "-w", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def psql(self, *arguments: str, user: str = ROLE, database: str = DATABASE) -> subprocess.CompletedProcess[str]:
        target = ["-h", str(self.folder), "-U", user, "-d", database]
        command = ["psql", *target, "-X", "-v", "ON_ERROR_STOP=1", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def query(self, sql: str) -> list[str]:
        result = self.psql("-At", "-c", sql)
        assert result.returncode == 0, result.stderr
        return result.stdout.splitlines()

    def refuses(self, sql: str) -> str:
        result = self.psql("-At", "-c", sql)
        assert result.returncode != 0, f"accepted: {sql}"
        return result.stderr


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgreSQL]:
    folder = Path(tempfile.mkdtemp(prefix="callrelay-postgres-"))
    try:
        server = PostgreSQL(folder)
        server.start()
        try:
            for statement in (f"CREATE ROLE {ROLE} LOGIN", f"CREATE DATABASE {DATABASE} OWNER {ROLE}"):
                created = server.psql("-c", statement, user="admin", database="postgres")
                assert created.returncode == 0, created.stderr
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


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

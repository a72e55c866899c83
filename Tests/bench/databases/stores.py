"""The servers and what they keep calls in, each started for one run: all on the one processor that is measured."""

import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import machine
from databases.cases import CLUSTER, SQLITE
from launch import ServerFailure, free_port, running
from signaling.servers import Programs, accepts, callrelay_settings, says_that_it_is_ready

sys.path.insert(0, str(machine.REPOSITORY / "Tests/e2e"))
from postgres_server import PostgreSQL  # noqa: E402: the tests' own server, as it comes, but with syncs


@dataclass(frozen=True)
class Served:
    """Nodes that answer. `others` are processes by name whose time belongs to a call's cost, too."""

    url: str
    callee_url: str
    pid: int
    others: dict[str, int]
    database: PostgreSQL | None = None

    @property
    def options(self) -> list[str]:
        """What `call-bench calls` is told of them."""
        told = ["--url", self.url, "--callee-url", self.callee_url, "--server-pid", str(self.pid)]
        for pid in self.others.values():
            told += ["--other-pid", str(pid)]
        return told

    def log_position(self) -> int | None:
        """Bytes that PostgreSQL has ever written to its log; None without it."""
        if self.database is None:
            return None
        return int(self.database.query("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")[0])

    def written(self, before: int | None) -> dict[str, float]:
        """Bytes that each call since then has brought: to the log, to the tables that keep it, and to the one that keeps
        its signals until a minute after its end, with their indexes."""
        after = self.log_position()
        if self.database is None or before is None or after is None:
            return {}
        calls = int(self.database.query("SELECT count(*) FROM call_sessions")[0])
        if calls == 0:
            return {}
        tables = ("call_sessions", "call_participants", "call_events")
        kept = "+".join(f"pg_total_relation_size('{table}')" for table in tables)
        sizes = [int(self.database.query(f"SELECT {size}")[0]) for size in (kept, "pg_total_relation_size('call_signals')")]
        return {
            "logBytesEach": (after - before) / calls,
            "keptBytesEach": sizes[0] / calls,
            "signalBytesEach": sizes[1] / calls,
        }


@contextmanager
def serve(kind: str, programs: Programs, processor: int, scratch: Path) -> Iterator[Served]:
    with ExitStack() as stack:
        shared = {"TURN_SHARED_SECRET": secrets.token_hex(16)}
        others: dict[str, int] = {}
        postgres: PostgreSQL | None = None
        if kind != SQLITE:
            postgres = stack.enter_context(_postgresql(processor))
            shared["DATABASE_URL"] = postgres.url()
            others["PostgreSQL"] = postgres.pid
        if kind == CLUSTER:
            port = free_port(socket.SOCK_STREAM)
            command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
            redis = stack.enter_context(running("Redis", command, processor, accepts(port), scratch=scratch))
            shared["REDIS_URL"] = f"redis://127.0.0.1:{port}"
            others["Redis"] = redis.pid
        nodes = []
        for number in range(2 if kind == CLUSTER else 1):
            port, turn_port = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
            settings = callrelay_settings(port, turn_port, "") | shared
            ready = says_that_it_is_ready(port)
            command = [str(programs.callrelay), "serve"]
            node = stack.enter_context(
                running(f"callrelay {number + 1}", command, processor, ready, settings=settings, scratch=scratch)
            )
            nodes.append((f"http://127.0.0.1:{port}", node.pid))
        if kind == CLUSTER:
            others = {"second node": nodes[1][1]} | others
        yield Served(nodes[0][0], nodes[-1][0], nodes[0][1], others, postgres)


@contextmanager
def _postgresql(processor: int) -> Iterator[PostgreSQL]:
    """With its defaults, syncs among them, in a folder that its own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="callrelay-bench-"))
    try:
        server = PostgreSQL(folder, syncs=True, prefix=("taskset", "-c", str(processor)))
        try:
            server.create()
        except AssertionError as error:
            raise ServerFailure(f"PostgreSQL: {error}") from error
        try:
            yield server
        finally:
            server.stop("fast")
    finally:
        shutil.rmtree(folder)

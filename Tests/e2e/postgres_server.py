"""A PostgreSQL server of the tests' own."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROLE, DATABASE = "enterprise_user", "enterprise_db"
VARIABLE = "CALLRELAY_TEST_POSTGRES"


def server_programs() -> Path:
    """The newest installed server's programs; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert found, "PostgreSQL is not installed (Debian package: postgresql)"
    return found[-1]


class PostgreSQL:
    """A server in a folder of its own, on a socket there; on a port of loopback too, if one is given."""

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        is_encrypted: bool = False,
        syncs: bool = False,
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.folder, self.port, self.is_encrypted, self.syncs = folder, port, is_encrypted, syncs
        self.programs = server_programs()
        # The server refuses to run as root.
        self.prefix = list(prefix)
        if os.geteuid() == 0:
            self.prefix += ["runuser", "-u", "postgres", "--"]
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def url(self, database: str = DATABASE, role: str = ROLE) -> str:
        """How clients name it, by its socket."""
        return f"postgres://{role}@/{database}?host={self.folder}&port={self.port or 5432}"

    def run(self, program: str, *arguments: str) -> None:
        command = [*self.prefix, str(self.programs / program), *arguments]
        # To a file: the server keeps what it was started with, so that a pipe would never end.
        with (self.folder / "output").open("w+") as output:
            result = subprocess.run(command, cwd=self.folder, stdout=output, stderr=output, timeout=120)
            output.seek(0)
            assert result.returncode == 0, f"{program}: {output.read()}"

    def create(self) -> None:
        """Makes the server's data with an ordinary role that owns an empty database, and starts it."""
        self.run("initdb", "-D", self.data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()
        for statement in (f"CREATE ROLE {ROLE} LOGIN", f"CREATE DATABASE {DATABASE} OWNER {ROLE}"):
            created = self.psql("-c", statement, user="admin", database="postgres")
            assert created.returncode == 0, created.stderr

    @property
    def certificate(self) -> Path:
        """The server's own, for the name localhost."""
        return self.folder / "server.crt"

    @property
    def is_running(self) -> bool:
        return (Path(self.data) / "postmaster.pid").exists()

    def start(self) -> None:
        where = f"-c listen_addresses='{'127.0.0.1' if self.port else ''}' -c port={self.port or 5432}"
        options = f"{where} -c unix_socket_directories={self.folder} -c max_connections=400"
        # Tests that kill its processes lose nothing by that; only a machine that loses power would.
        options += "" if self.syncs else " -c fsync=off"
        if self.is_encrypted:
            key = self.folder / "server.key"
            if not key.exists():
                make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
                names = ["-addext", "subjectAltName=DNS:localhost"]
                subprocess.run(
                    [*self.prefix, *make, *names, "-keyout", key, "-out", self.certificate],
                    check=True, capture_output=True, cwd=self.folder,
                )
            options += f" -c ssl=on -c ssl_cert_file={self.certificate} -c ssl_key_file={key}"
        self.run("pg_ctl", "-D", self.data, "-l", str(self.folder / "log"), "-o", options, "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    @property
    def pid(self) -> int:
        return int((Path(self.data) / "postmaster.pid").read_text().splitlines()[0])

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the server and all of its processes, to freeze them for example."""
        children = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, text=True).stdout.split()
        for process in [self.pid, *map(int, children)]:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue

    def psql(self, *arguments: str, user: str = ROLE, database: str = DATABASE) -> subprocess.CompletedProcess[str]:
        target = ["-h", str(self.folder), "-p", str(self.port or 5432), "-U", user, "-d", database]
        command = ["psql", *target, "-X", "-v", "ON_ERROR_STOP=1", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def query(self, sql: str, database: str = DATABASE) -> list[str]:
        result = self.psql("-At", "-c", sql, database=database)
        assert result.returncode == 0, result.stderr
        return result.stdout.splitlines()

    def refuses(self, sql: str) -> str:
        result = self.psql("-At", "-c", sql)
        assert result.returncode != 0, f"accepted: {sql}"
        return result.stderr


@contextmanager
def postgresql(port: int | None = None, is_encrypted: bool = False) -> Iterator[PostgreSQL]:
    """A server that is stopped and gone afterwards, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="callrelay-postgres-"))
    try:
        server = PostgreSQL(folder, port, is_encrypted)
        try:
            server.create()
            yield server
        finally:
            if server.is_running:
                server.stop()
    finally:
        shutil.rmtree(folder)


def fresh_database() -> str | None:
    """The URL of an empty place on the server that these tests run with, if they run with one."""
    server = os.environ.get(VARIABLE)
    if not server:
        return None
    # A schema is as good as a database, and made in no time.
    schema = f"test_{secrets.token_hex(8)}"
    subprocess.run(["psql", server, "-qXc", f"CREATE SCHEMA {schema}"], check=True, timeout=30)
    return f"{server}&options=-csearch_path%3D{schema}"

"""The files in deploy/ as compose would read them, and what they start, on ports and with secrets of the tests' own."""

import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import aiohttp
import requests
import socketio
import yaml

from ports import free_port
from postgres_server import PostgreSQL, postgresql
from running_server import REPOSITORY, RunningServer, bearer
from signaling_client import WAIT_SECONDS, AsyncClient
from waiting import eventually

DEPLOY = REPOSITORY / "deploy"
NODES = ("node-1", "node-2")
# ${NAME}, and with a default or a complaint; $$ is a dollar.
VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?P<how>:-|:\?|\?)?(?P<text>[^}]*)\})")


class Refused(Exception):
    """Compose does not start this."""


def read_variables(path: Path) -> dict[str, str]:
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def interpolate(value: object, variables: dict[str, str]) -> object:
    """As the Compose specification has it."""
    if isinstance(value, dict):
        return {key: interpolate(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [interpolate(inner, variables) for inner in value]
    if not isinstance(value, str):
        return value

    def replacement(match: re.Match) -> str:
        if match["dollar"]:
            return "$"
        given = variables.get(match["name"])
        is_missing = given is None if match["how"] == "?" else not given
        if is_missing and match["how"] in ("?", ":?"):
            raise Refused(f"{match['name']}: {match['text']}")
        return match["text"] if is_missing and match["how"] == ":-" else given or ""

    return VARIABLE.sub(replacement, value)


def compose_text() -> str:
    return (DEPLOY / "compose.yaml").read_text()


def compose(**changes: str | None) -> dict:
    """compose.yaml as read with dev.env and changes to it; None takes a variable out."""
    variables = {**read_variables(DEPLOY / "dev.env"), **changes}
    return interpolate(yaml.safe_load(compose_text()), {k: v for k, v in variables.items() if v is not None})


def environment(service: dict, secrets: Path) -> dict[str, str]:
    """What a service is started with, its secrets looked for in that folder."""
    return {name: value.replace("/run/secrets", str(secrets)) for name, value in service["environment"].items()}


def make_secrets(folder: Path, host: str = "localhost") -> Path:
    subprocess.run([DEPLOY / "secrets.sh", host, folder], check=True, capture_output=True, timeout=60)
    return folder


class Services:
    """PostgreSQL as postgres-role.sh leaves it, and Redis as compose.yaml starts it."""

    def __init__(self, folder: Path, postgres: PostgreSQL) -> None:
        self.postgres = postgres
        self.secrets = make_secrets(folder / "secrets")
        self.redis_port = free_port()
        self.redis: subprocess.Popen | None = None
        self._lead("database_url", "127.0.0.1:5432", postgres.port)
        self._lead("redis_url", "127.0.0.1:6379", self.redis_port)
        self._make_role()
        self.certificate = folder / "certificate.pem"
        self.certificate.write_text((self.secrets / "tls.pem").read_text().split("-----BEGIN PRIVATE")[0])

    def _lead(self, name: str, where: str, port: int) -> None:
        path = self.secrets / name
        url = path.read_text()
        assert where in url, f"{name} names {where}"
        path.unlink()
        path.write_text(url.replace(where, f"127.0.0.1:{port}"))

    def _make_role(self) -> None:
        # Its password counts: others are let in without one.
        rules = Path(self.postgres.data) / "pg_hba.conf"
        rules.write_text("host all callrelay 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        self.postgres.run("pg_ctl", "-D", self.postgres.data, "reload")
        variables = {
            "PATH": os.environ["PATH"], "PGHOST": str(self.postgres.folder), "PGPORT": str(self.postgres.port),
            "POSTGRES_USER": "admin", "SECRETS": str(self.secrets),
        }  # fmt: skip
        subprocess.run([DEPLOY / "postgres-role.sh"], env=variables, check=True, capture_output=True, timeout=60)

    def redis_command(self, command: list[str]) -> list[str]:
        ours = {"/run/secrets": str(self.secrets), "6379": str(self.redis_port), "dir /tmp": f"dir {self.secrets}"}
        for theirs, mine in ours.items():
            command = [part.replace(theirs, mine) for part in command]
        return command

    def redis_is_healthy(self) -> bool:
        kind, script = compose()["services"]["redis"]["healthcheck"]["test"]
        assert kind == "CMD-SHELL"
        command = self.redis_command(["sh", "-c", script])
        return subprocess.run(command, capture_output=True, timeout=20).returncode == 0

    def start_redis(self) -> None:
        service = compose()["services"]["redis"]
        command = self.redis_command([*service["entrypoint"], *service["command"]])
        self.redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        eventually(self.redis_is_healthy, "Redis is healthy")


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    with postgresql(free_port()) as postgres:
        found = Services(folder, postgres)
        found.start_redis()
        try:
            yield found
        finally:
            found.redis.terminate()
            found.redis.wait(20)


def node(name: str, folder: Path, secrets: Path, **variables: str | None) -> RunningServer:
    """A node with exactly the environment that it has in compose.yaml, but for its ports."""
    given = environment(compose(**variables)["services"][name], secrets)
    # What a RunningServer has of its own accord, and this one has not.
    absent = dict.fromkeys(("DATABASE_URL", "TURN_SHARED_SECRET", "LOG_LEVEL", "TURN_WORKERS"))
    theirs = {key: value for key, value in given.items() if key not in ("HTTP_PORT", "TURN_PORT")}
    host, _, _ = theirs["METRICS_LISTEN"].rpartition(":")
    server = RunningServer(folder / name, absent | theirs | {"METRICS_LISTEN": f"{host}:{free_port()}"})
    server.turn_secret = (secrets / "turn_shared_secret").read_text().strip()
    return server


class Proxy:
    """HAProxy with haproxy.cfg, but for the ports of the nodes and its own."""

    def __init__(self, folder: Path, services: Services, nodes: list[RunningServer], **variables: str) -> None:
        self.folder, self.services = folder, services
        self.port = free_port()
        self.given = environment(compose(**variables)["services"]["proxy"], services.secrets)
        text = (DEPLOY / "haproxy.cfg").read_text().replace("/run/secrets", str(services.secrets))
        for name, server in zip(NODES, nodes, strict=True):
            theirs = f"{name} 127.0.0.1:{compose()['services'][name]['environment']['HTTP_PORT']} "
            assert text.count(theirs) == 3, f"every backend has {theirs}"
            text = text.replace(theirs, f"{name} 127.0.0.1:{server.http_port} ")
        if os.geteuid() != 0:  # it cannot become another user, and need not
            text = re.sub(r"(?m)^    (user|group) haproxy$", "", text)
        self.configuration = folder / "haproxy.cfg"
        self.configuration.write_text(text)
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "haproxy.log").read_text()

    def start(self) -> "Proxy":
        host = self.given["PROXY_BIND"].rsplit(":", 1)[0]
        variables = {"PATH": os.environ["PATH"], **self.given, "PROXY_BIND": f"{host}:{self.port}"}
        with (self.folder / "haproxy.log").open("ab") as log:
            command = ["haproxy", "-W", "-db", "-f", self.configuration]
            self.process = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
        eventually(self._answers, "the proxy answers")
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log
        try:
            return self.request("GET", "/readyz").status_code == 200
        except requests.RequestException:
            return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def request(
        self, method: str, path: str, user: str | None = None, json: object = None, **options: object
    ) -> requests.Response:
        headers = dict(options.pop("headers", {}))
        if user is not None:
            headers["Authorization"] = f"Bearer {bearer(user)}"
        return requests.request(
            method, self.url + path, json=json, headers=headers, verify=str(self.services.certificate), timeout=15, **options
        )

    def ready_nodes(self, clients: int = 8) -> set[str]:
        """The nodes that clients come to now, by what the ids of their sessions begin with."""
        found = set()
        # All at once: the next comes to where there are fewest.
        with ExitStack() as stack:
            for _ in range(clients):
                with suppress(socketio.exceptions.ConnectionError):  # none, at this moment
                    found.add(stack.enter_context(ProxyClient(self, "somebody")).node)
        return found


class ProxyClient(AsyncClient):
    """A Socket.IO client that comes by the proxy, and keeps cookies as a browser does.

    On an event loop: by TLS, the client with threads loses its connection now and then.
    """

    def __init__(self, proxy: Proxy, user: str, transport: str = "websocket") -> None:
        super().__init__(proxy.url, user, transport)
        self.authority = str(proxy.services.certificate)

    async def _connect(self) -> None:
        context = ssl.create_default_context(cafile=self.authority)
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
        self.client = socketio.AsyncClient(reconnection=False, handle_sigint=False, http_session=self.session)
        self.client.on("*", self._keep)
        try:
            await self.client.connect(
                self.url, auth=self.auth, transports=self.transports, wait_timeout=WAIT_SECONDS
            )
        except socketio.exceptions.ConnectionError:
            await self.session.close()
            raise

    def disconnect(self) -> None:
        if not self._loop.is_closed():
            self._run(self._leave())
        super().disconnect()

    async def _leave(self) -> None:
        await self.client.disconnect()
        await self.session.close()

    @property
    def node(self) -> str:
        return self.client.eio.sid.split(".")[0]

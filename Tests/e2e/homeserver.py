"""Synapse, the reference Matrix homeserver, as a process of the tests' own. Its server name is localhost."""

import base64
import hashlib
import hmac
import json as json_text
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import requests

from ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 20
CLIENT = "/_matrix/client/v3"
PASSWORD = "of every account"

# What bounds accounts that act as fast as tests do; messages have a switch of their own.
FAST = {"per_second": 1000, "burst_count": 1000}
GENEROUS_LIMITS = {
    "rc_registration": FAST,
    "rc_login": {"address": FAST, "account": FAST, "failed_attempts": FAST},
    "rc_joins": {"local": FAST, "remote": FAST},
    "rc_joins_per_room": FAST,
    "rc_invites": {"per_room": FAST, "per_user": FAST, "per_issuer": FAST},
    "rc_room_creation": FAST,
}


def synapse_python() -> Path:
    """The Python that Synapse is installed for: CALLRELAY_SYNAPSE_PYTHON if set, else that of .venv-synapse."""
    python = Path(os.environ.get("CALLRELAY_SYNAPSE_PYTHON") or REPOSITORY / ".venv-synapse/bin/python")
    assert python.exists(), f"no Synapse: {python} is not there; scripts/test.sh makes .venv-synapse"
    return python


def checked(answer: requests.Response, expect: int) -> dict:
    """What the answer holds, if its status is the one expected."""
    asked = f"{answer.request.method} {answer.request.path_url}"
    assert answer.status_code == expect, f"{asked} was answered {answer.status_code}, not {expect}: {answer.text[:2000]}"
    return answer.json()


class Homeserver:
    """A homeserver on a port of loopback, with a database in a folder of its own: `with Homeserver(folder) as server:`.

    It can be stopped or killed and started again, and then has the same port and data.
    """

    name = "localhost"

    def __init__(
        self,
        folder: Path,
        *,
        turn_uris: Iterable[str] = (),
        turn_shared_secret: str | None = None,
        turn_user_lifetime: str | None = None,
        limits_messages: bool = False,
        refreshable_access_token_lifetime: str | None = None,
        app_services: Iterable[dict] = (),
        overrides: dict | None = None,
    ) -> None:
        """Lifetimes are Synapse's: "2s", "1h". With `limits_messages` an account may send what Synapse lets it send by
        default: ten events at once, a new room's being one, then one in five seconds. `app_services` are registrations
        as an operator would file them, and `overrides` whatever else homeserver.yaml is to say."""
        self.folder, self.port = folder, free_port()
        self.registration_secret = secrets.token_hex(16)
        self.process: subprocess.Popen | None = None
        folder.mkdir(parents=True, exist_ok=True)
        chosen = {
            "turn_uris": list(turn_uris) or None,
            "turn_shared_secret": turn_shared_secret,
            "turn_user_lifetime": turn_user_lifetime,
            "refreshable_access_token_lifetime": refreshable_access_token_lifetime,
            "app_service_config_files": [self._write(f"app-service-{i}.yaml", it) for i, it in enumerate(app_services)],
            "rc_message": None if limits_messages else FAST,
        }
        given = {key: value for key, value in chosen.items() if value is not None}
        self._write("homeserver.yaml", self._foundation() | given | (overrides or {}))

    def _foundation(self) -> dict:
        listener = {
            "port": self.port,
            "bind_addresses": ["127.0.0.1"],
            "type": "http",
            "tls": False,
            "resources": [{"names": ["client", "federation"], "compress": False}],
        }
        # Given here, so that Synapse need not be started once more to make it.
        seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        return {
            "server_name": self.name,
            "public_baseurl": f"{self.url}/",
            "pid_file": str(self.folder / "pid"),
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": str(self.folder / "homeserver.db")}},
            "media_store_path": str(self.folder / "media"),
            "signing_key": f"ed25519 a_test {seed}",
            "macaroon_secret_key": secrets.token_hex(16),
            "form_secret": secrets.token_hex(16),
            "registration_shared_secret": self.registration_secret,
            "bcrypt_rounds": 4,
            "trusted_key_servers": [],
            "report_stats": False,
            "presence": {"enabled": False},
            **GENEROUS_LIMITS,
        }

    def _write(self, name: str, content: dict) -> str:
        """JSON is YAML."""
        path = self.folder / name
        path.write_text(json_text.dumps(content, indent=2))
        return str(path)

    def __enter__(self) -> "Homeserver":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_path(self) -> Path:
        return self.folder / "log"

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    # The process.

    def start(self) -> "Homeserver":
        assert self.process is None, "the homeserver was started before"
        # Nothing of the shell that runs the tests leaks in.
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        command = [synapse_python(), "-m", "synapse.app.homeserver", "-c", self.folder / "homeserver.yaml"]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if (status := self.process.poll()) is not None:
                self.process = None
                raise RuntimeError(f"Synapse exited {status} at start:\n{self.log_tail()}")
            try:
                if requests.get(f"{self.url}/health", timeout=5).status_code == 200:
                    return self
            except requests.RequestException:  # not listening yet, or too slow an answer
                pass
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"Synapse did not become healthy within {START_SECONDS} s:\n{self.log_tail()}")

    def stop(self) -> None:
        """SIGTERM: it ends in order. A homeserver that is stopped already stays so; one that died is an error."""
        if self.process is None:
            return
        process, self.process = self.process, None
        died = process.poll()
        assert died is None, f"Synapse ended by itself with {died}:\n{self.log_tail()}"
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"Synapse did not end within {STOP_SECONDS} s of SIGTERM:\n{self.log_tail()}") from None

    def kill(self) -> None:
        """SIGKILL, as when the machine it runs on is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    # Its accounts.

    def request(
        self, method: str, path: str, json: object = None, *, token: str | None = None, expect: int = 200
    ) -> dict:
        """One request, in the name of the token's owner. The path may have a query; what is in it is quoted by then."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return checked(requests.request(method, self.url + path, json=json, headers=headers, timeout=30), expect)

    def register(self, name: str) -> None:
        """Makes the account @name:localhost."""
        path = "/_synapse/admin/v1/register"
        nonce = self.request("GET", path)["nonce"]
        proven = "\0".join([nonce, name, PASSWORD, "notadmin"]).encode()
        mac = hmac.new(self.registration_secret.encode(), proven, hashlib.sha1).hexdigest()
        # Without a login of its own: `login` makes the devices.
        account = {"nonce": nonce, "username": name, "password": PASSWORD, "admin": False, "mac": mac}
        self.request("POST", path, account | {"inhibit_login": True})

    def login(self, name: str, device_id: str | None = None, refresh_token: bool = False) -> "Account":
        """The account on a device, a new one if none is named; with a token that can be refreshed, if asked for."""
        asked = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": name},
            "password": PASSWORD,
            "refresh_token": refresh_token,
        }
        if device_id is not None:
            asked["device_id"] = device_id
        got = self.request("POST", f"{CLIENT}/login", asked)
        return Account(self, got["user_id"], got["access_token"], got["device_id"], got.get("refresh_token"))


@contextmanager
def homeservers_in(folder: Path) -> Iterator[Callable[..., Homeserver]]:
    """Starts homeservers with the settings that `Homeserver` takes; all are stopped in the end."""
    with ExitStack() as stack:
        started: list[Homeserver] = []

        def start(**settings: object) -> Homeserver:
            running = Homeserver(folder / f"homeserver-{len(started)}", **settings)
            started.append(stack.enter_context(running))
            return running

        yield start
        for running in started:
            running.stop()


@dataclass
class Account:
    """A user on one device. Users are named in full, as in @bob:localhost."""

    homeserver: Homeserver = field(repr=False)
    user_id: str
    access_token: str
    device_id: str
    refresh_token: str | None = None

    def request(self, method: str, path: str, json: object = None, expect: int = 200) -> dict:
        return self.homeserver.request(method, path, json, token=self.access_token, expect=expect)

    # Rooms.

    def create_room(
        self,
        *,
        invite: Iterable[str] = (),
        preset: str = "private_chat",
        initial_state: Iterable[dict] = (),
        power_level_content_override: dict | None = None,
        room_version: str | None = None,
    ) -> str:
        asked = {"preset": preset, "invite": list(invite), "initial_state": list(initial_state)}
        if power_level_content_override is not None:
            asked["power_level_content_override"] = power_level_content_override
        if room_version is not None:
            asked["room_version"] = room_version
        return self.request("POST", f"{CLIENT}/createRoom", asked)["room_id"]

    def join(self, room: str) -> None:
        self.request("POST", f"{room_path(room)}/join", {})

    def leave(self, room: str) -> None:
        self.request("POST", f"{room_path(room)}/leave", {})

    def invite(self, room: str, user: str) -> None:
        self.request("POST", f"{room_path(room)}/invite", {"user_id": user})

    def kick(self, room: str, user: str) -> None:
        self.request("POST", f"{room_path(room)}/kick", {"user_id": user})

    def ban(self, room: str, user: str) -> None:
        self.request("POST", f"{room_path(room)}/ban", {"user_id": user})

    def set_power_levels(self, room: str, content: dict) -> None:
        self.request("PUT", f"{room_path(room)}/state/m.room.power_levels", content)

    def send(self, room: str, type: str, content: dict, txn: str | None = None) -> str:
        """Sends an event, whose id is the answer."""
        path = f"{room_path(room)}/send/{quote(type, safe='')}/{quote(txn or secrets.token_hex(8), safe='')}"
        return self.request("PUT", path, content)["event_id"]

    def timeline(self, room: str, type_prefix: str = "m.call.") -> list[dict]:
        """The room's events of these types, the first one first, as far as the account may see them."""
        events: list[dict] = []
        path = f"{room_path(room)}/messages?dir=f&limit=100"
        page = self.request("GET", path)
        while True:
            events += page["chunk"]
            if page.get("end") in (None, page["start"]):
                return [event for event in events if event["type"].startswith(type_prefix)]
            page = self.request("GET", f"{path}&from={quote(page['end'], safe='')}")

    # The account itself.

    def logout(self) -> None:
        self.request("POST", f"{CLIENT}/logout", {})

    def refresh(self) -> None:
        """Takes new tokens for the old ones."""
        got = self.homeserver.request("POST", f"{CLIENT}/refresh", {"refresh_token": self.refresh_token})
        self.access_token, self.refresh_token = got["access_token"], got.get("refresh_token", self.refresh_token)

    def whoami(self) -> dict:
        return self.request("GET", f"{CLIENT}/account/whoami")

    def openid_token(self) -> dict:
        """What proves to somebody else who this is: `access_token`, `matrix_server_name` and so on."""
        return self.request("POST", f"{CLIENT}/user/{quote(self.user_id, safe='')}/openid/request_token", {})

    def turn_server(self, version: str = "v3") -> dict:
        """`username`, `password`, `ttl` and `uris`, or nothing if the homeserver has no TURN server."""
        return self.request("GET", f"/_matrix/client/{version}/voip/turnServer")


def room_path(room: str) -> str:
    """Where the room is. Its id begins with an exclamation mark, and need not name a server."""
    return f"{CLIENT}/rooms/{quote(room, safe='')}"

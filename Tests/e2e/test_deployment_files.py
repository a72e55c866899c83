"""deploy/: its files agree with each other and with the server, and what they describe works: two nodes behind HAProxy."""

import http.client
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployment import (
    DEPLOY,
    NODES,
    Proxy,
    ProxyClient,
    Refused,
    Services,
    compose,
    compose_text,
    environment,
    make_secrets,
    node,
    read_variables,
    services,
)
from homeserver import Account, Homeserver
from running_server import REPOSITORY, RunningServer, binary
from scenario import Scenario
from turn_client import TurnClient, time_limited_credential
from waiting import eventually

ENV_FILES = ("env.example", "dev.env")


# --- What can be read off the files ---


def seconds(duration: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([sm])", duration).groups()
    return int(number) * {"s": 1, "m": 60}[unit]


def test_nodes_are_given_settings_that_the_server_has() -> None:
    """Names that are no setting are passed over in the environment, so that a slip would go unnoticed."""
    manual = subprocess.run([binary("callrelay"), "serve", "--help"], capture_output=True, text=True, timeout=30).stdout
    known = set(re.findall(r"^  --[a-z0-9-]+, ([A-Z0-9_]+)$", manual, re.MULTILINE))
    assert {"HTTP_PORT", "TURN_SHARED_SECRET", "REDIS_URL"} <= known
    as_files = set(re.findall(r"\(or ([A-Z_]+_FILE)\)", (REPOSITORY / ".env.example").read_text()))
    for name in NODES:
        given = set(compose()["services"][name]["environment"])
        assert given <= known | as_files, f"{name}: {given - known - as_files}"


def test_variables_are_explained_and_used() -> None:
    used = set(re.findall(r"\$\{(\w+)", compose_text())) - {"CALLRELAY_TAG"}
    for name in ENV_FILES:
        told = set(read_variables(DEPLOY / name)) - {"COMPOSE_PROJECT_NAME"}
        assert told <= used, f"{name} has what compose.yaml does not know: {told - used}"
    assert set(read_variables(DEPLOY / "env.example")) - {"COMPOSE_PROJECT_NAME"} == used


@pytest.mark.parametrize("name", ["MATRIX_HOMESERVER_URL", "PUBLIC_HOST", "SECRETS", "TURN_LISTEN"])
def test_what_has_no_sensible_default_is_asked_for(name: str) -> None:
    with pytest.raises(Refused, match=f"{name}: .*env.example"):
        compose(**{name: None})


def test_no_mode_is_dev_unless_it_says_so() -> None:
    for name in NODES:
        assert compose(AUTH_MODE=None)["services"][name]["environment"]["AUTH_MODE"] == "matrix"


def test_no_secret_stands_in_a_file() -> None:
    for service in compose()["services"].values():
        for name, value in service.get("environment", {}).items():
            is_secret = re.search(r"SECRET|PASSWORD|_URL|CREDENTIAL", name) and name not in ("MATRIX_HOMESERVER_URL", "MATRIX_PUBLIC_URL")
            assert not is_secret or value.startswith("/run/secrets/"), name


def test_secrets_are_made_mounted_and_used(tmp_path: Path) -> None:
    found = compose()
    made = {path.name for path in make_secrets(tmp_path / "secrets").iterdir()}
    assert set(found["secrets"]) == made
    assert all(entry["file"] == f"./secrets/{name}" for name, entry in found["secrets"].items())
    for name, service in found["services"].items():
        read = set(re.findall(r"/run/secrets/([\w.]+)", json.dumps(service)))
        if name == "proxy":
            read |= set(re.findall(r"/run/secrets/([\w.]+)", (DEPLOY / "haproxy.cfg").read_text()))
        if name == "postgres":
            read.add("postgres_password")
        assert read == set(service["secrets"]), name


def test_secrets_that_are_there_are_kept(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path / "secrets")
    before = {path.name: path.read_text() for path in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "redis_url").unlink()
    make_secrets(folder, "elsewhere.example")
    assert {path.name: path.read_text() for path in folder.iterdir()} == before


def test_services_hold_no_more_than_they_need() -> None:
    allowed = {
        "node-1": {"NET_RAW", "SETGID", "SETUID"}, "node-2": {"NET_RAW", "SETGID", "SETUID"},
        "proxy": {"KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"}, "postgres": set(), "redis": set(),
    }  # fmt: skip
    found = compose()["services"]
    assert set(found) == set(allowed)
    for name, service in found.items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service.get("cap_add", [])) == allowed[name], name
        assert "privileged" not in service and "ports" not in service, name
        # On the host's network each says itself where it listens.
        assert service["network_mode"] == "host", name
    for name in NODES:
        assert found[name]["environment"]["HTTP_HOST"] == "127.0.0.1"
        assert found[name]["environment"]["METRICS_LISTEN"].startswith("127.0.0.1:")
        assert "--reuid=callrelay" in found[name]["entrypoint"]
    assert "listen_addresses=127.0.0.1" in found["postgres"]["command"]
    assert "bind 127.0.0.1\n" in found["redis"]["command"][0]


def test_nodes_on_one_host_stay_out_of_each_others_way() -> None:
    first, second = (compose()["services"][name]["environment"] for name in NODES)
    differing = {key for key in first if first[key] != second[key]}
    assert differing == {"HTTP_PORT", "METRICS_LISTEN", "TURN_PORT", "TURN_RELAY_MIN_PORT", "TURN_RELAY_MAX_PORT"}
    ranges = [
        range(int(given["TURN_RELAY_MIN_PORT"]), int(given["TURN_RELAY_MAX_PORT"]) + 1) for given in (first, second)
    ]
    assert ranges[0].stop == ranges[1].start and ranges[0].start >= 49152 and ranges[1].stop <= 65536
    assert not any(int(given["TURN_PORT"]) in ports for given in (first, second) for ports in ranges)


def test_a_stop_is_given_the_time_of_the_drain() -> None:
    found = compose()["services"]
    for name in NODES:
        # The server ends what is left within five seconds after its time.
        assert seconds(found[name]["stop_grace_period"]) > seconds(found[name]["environment"]["DRAIN_TIMEOUT"]) + 5
    hard_stop = re.search(r"hard-stop-after (\w+)", (DEPLOY / "haproxy.cfg").read_text())[1]
    assert seconds(found["proxy"]["stop_grace_period"]) > seconds(hard_stop)


def test_the_image_has_the_libraries_that_the_binary_links() -> None:
    if shutil.which("dpkg-query") is None:
        pytest.skip("no dpkg here to ask which package a library is of")
    listed = subprocess.run(["readelf", "-d", binary("callrelay")], capture_output=True, text=True, check=True).stdout
    installed = set((DEPLOY / "Dockerfile").read_text().replace("\\\n", " ").split())
    for library in re.findall(r"NEEDED.*\[(.+)\]", listed):
        owner = subprocess.run(["dpkg-query", "-S", f"*/{library}"], capture_output=True, text=True).stdout
        packages = {line.split(":")[0] for line in owner.splitlines()}
        # Part of every Debian.
        assert packages & (installed | {"libc6", "libgcc-s1"}), f"{library} is in {packages}"


# --- What they start ---


def is_healthy(server: RunningServer) -> bool:
    check = subprocess.run([DEPLOY / "health.sh"], env=server.environment, capture_output=True, timeout=20)
    return check.returncode == 0


def test_a_relay_alone_is_started_and_its_health_told(tmp_path: Path) -> None:
    secrets = make_secrets(tmp_path / "secrets")
    server = node("node-2", tmp_path, secrets, AUTH_MODE="off").start()
    try:
        assert is_healthy(server)
        credential = time_limited_credential(server.turn_secret, "alice")
        with TurnClient(("127.0.0.1", server.turn_port), *credential) as client:
            client.allocate()
            assert 57344 <= client.relayed[1] <= 65535
            client.refresh(0)
    finally:
        assert server.stop() == 0
    assert not is_healthy(server)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with services(tmp_path_factory.mktemp("services")) as found:
        yield found


@dataclass
class Deployment:
    services: Services
    nodes: list[RunningServer]
    proxy: Proxy


@pytest.fixture
def deploy(tmp_path: Path, shared: Services) -> Iterator[Callable[..., Deployment]]:
    """Starts what compose.yaml and dev.env describe, with changes to its variables."""
    with ExitStack() as stack:

        def start(**variables: str) -> Deployment:
            nodes = []
            for name in NODES:
                nodes.append(node(name, tmp_path, shared.secrets, **variables).start())
                stack.callback(lambda server=nodes[-1]: server.stop())
            proxy = Proxy(tmp_path, shared, nodes, **variables).start()
            stack.callback(proxy.stop)
            eventually(lambda: len(proxy.ready_nodes()) == 2, "the proxy has found both nodes ready")
            return Deployment(shared, nodes, proxy)

        yield start


def test_nodes_of_production_serve_the_accounts_of_a_homeserver(
    tmp_path: Path, shared: Services, homeserver: Homeserver
) -> None:
    """With the variables of env.example, but for what is of this machine."""
    variables = {
        **read_variables(DEPLOY / "env.example"), "PUBLIC_HOST": "localhost", "PROXY_BIND": "127.0.0.1:443",
        "TURN_LISTEN": "127.0.0.1", "MATRIX_HOMESERVER_URL": homeserver.url, "MATRIX_SERVER_NAME": homeserver.name,
    }  # fmt: skip
    with ExitStack() as stack:
        nodes = []
        for name in NODES:
            nodes.append(node(name, tmp_path, shared.secrets, **variables).start())
            stack.callback(lambda server=nodes[-1]: server.stop())
        proxy = Proxy(tmp_path, shared, nodes, **variables).start()
        stack.callback(proxy.stop)
        for name in ("alice-deployed", "bob-deployed"):
            homeserver.register(name)
        alice, bob = (homeserver.login(name) for name in ("alice-deployed", "bob-deployed"))
        room = alice.create_room(invite=[bob.user_id])
        bob.join(room)

        def ask(path: str, who: Account, body: object) -> dict:
            headers = {"Authorization": f"Bearer {who.access_token}"}
            answer = proxy.request("POST", path, json=body, headers=headers)
            assert answer.ok, answer.text
            return answer.json()

        assert proxy.request("POST", "/api/calls/initiate", "alice-deployed", {"roomId": room}).status_code == 401
        call_id = ask("/api/calls/initiate", alice, {"roomId": room})["callId"]
        answered = ask(f"/api/calls/{call_id}/answer", bob, {})
        urls = answered["iceServers"][-1]["urls"]
        assert {url.split(":")[2].split("?")[0] for url in urls} == {str(server.turn_port) for server in nodes}
        assert ask(f"/api/calls/{call_id}/end", bob, {})["endReason"] == "hangup"
        told = ["m.call.invite", "m.call.select_answer", "m.call.hangup"]
        eventually(lambda: sorted(event["type"] for event in alice.timeline(room)) == sorted(told), "the room is told")


def test_the_database_has_an_ordinary_owner(shared: Services) -> None:
    attributes = "rolsuper, rolcreatedb, rolcreaterole, rolbypassrls"
    assert shared.postgres.query(f"SELECT {attributes} FROM pg_roles WHERE rolname = 'callrelay'") == ["f|f|f|f"]
    url = (shared.secrets / "database_url").read_text().strip()
    for given, status in ((url, 0), (re.sub(":[0-9a-f]{64}@", ":guessed@", url), 2)):
        assert subprocess.run(["psql", "-Xc", "SELECT 1", given], capture_output=True).returncode == status


def test_redis_asks_for_its_password(shared: Services) -> None:
    assert shared.redis_is_healthy()
    with socket.create_connection(("127.0.0.1", shared.redis_port), timeout=5) as stranger:
        stranger.sendall(b"PING\r\n")
        assert stranger.recv(100).startswith(b"-NOAUTH")


def open_elsewhere(s: Scenario, proxy: Proxy, who: str, than: ProxyClient) -> ProxyClient:
    """A client on another node than that one's; WebSockets are spread, so one comes soon."""
    for _ in range(10):
        client = ProxyClient(proxy, s.name(who)).connect()
        s.stack.callback(client.disconnect)
        if client.node != than.node:
            return client
    raise AssertionError("all WebSockets came to one node")


def relay_ports(s: Scenario) -> set[str]:
    urls = s.get("/api/calls/ice-servers", "alice").json()["iceServers"][-1]["urls"]
    return {url.split(":")[2].split("?")[0] for url in urls}


@pytest.mark.parametrize("transport", ["polling", "websocket", "upgraded"])
def test_a_call_by_the_proxy_across_both_nodes(deploy: Callable[..., Deployment], transport: str) -> None:
    deployment = deploy()
    with Scenario(deployment.proxy) as s, ProxyClient(deployment.proxy, s.name("alice"), transport) as alice:
        bob = open_elsewhere(s, deployment.proxy, "bob", alice)
        call_id = s.active_call(alice, bob)
        for number in range(20):
            said = {"callId": call_id, "candidate": {"candidate": f"candidate:{number}"}}
            assert alice.call("ice-candidate", said)["ok"] and bob.call("ice-candidate", said)["ok"]
        for client in (alice, bob):
            eventually(lambda who=client: len(who.seen("ice-candidate")) == 20, "each hears all that the other says")
        assert alice.transport == ("polling" if transport == "polling" else "websocket")
        ports = {str(server.turn_port) for server in deployment.nodes}
        eventually(lambda: relay_ports(s) == ports, "clients are told of both relays")


class Poller:
    """Long polling by hand, from an address of its own."""

    def __init__(self, proxy: Proxy, address: str) -> None:
        self.proxy, self.address, self.cookie = proxy, address, None
        status, body = self.get("")
        assert status == 200, body
        self.session = json.loads(body[1:])["sid"]

    def get(self, query: str, method: str = "GET", body: str | None = None) -> tuple[int, str]:
        context = ssl.create_default_context(cafile=str(self.proxy.services.certificate))
        connection = http.client.HTTPSConnection(
            "localhost", self.proxy.port, timeout=10, context=context, source_address=(self.address, 0)
        )
        headers = {"Cookie": self.cookie} if self.cookie else {}
        connection.request(method, f"/socket.io/?EIO=4&transport=polling{query}", body, headers)
        answer = connection.getresponse()
        if given := answer.getheader("Set-Cookie"):
            self.offered = given
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def goes_on(self) -> bool:
        """Enters the namespace without a token; either answer shows that the session is known."""
        posted, _ = self.get(f"&sid={self.session}", "POST", "40")
        polled, _ = self.get(f"&sid={self.session}")
        return (posted, polled) == (200, 200)


def test_long_polling_stays_with_its_node(deploy: Callable[..., Deployment]) -> None:
    proxy = deploy().proxy
    addresses = [f"127.0.0.{number}" for number in range(10, 26)]
    pollers = [Poller(proxy, address) for address in addresses]
    assert len({poller.session.split(".")[0] for poller in pollers}) == 2, "both nodes have some of them"
    for poller in pollers:
        assert poller.goes_on(), "without a cookie, by the address"
    for poller in pollers:
        fresh = Poller(proxy, poller.address)
        assert "Secure" in fresh.offered and "HttpOnly" in fresh.offered and "SameSite=None" in fresh.offered
        fresh.cookie = fresh.offered.split(";")[0]
        fresh.address = "127.0.0.9"
        assert fresh.goes_on(), "with its cookie, from wherever"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_node_that_goes_is_taken_out_and_comes_back(deploy: Callable[..., Deployment], how: signal.Signals) -> None:
    deployment = deploy()
    proxy, gone = deployment.proxy, deployment.nodes[0]
    statuses: list[int] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            statuses.append(proxy.request("GET", "/api/calls/active", "somebody").status_code)

    with Scenario(proxy) as s, ExitStack() as stack:
        first = s.stack.enter_context(ProxyClient(proxy, s.name("alice")))
        second = open_elsewhere(s, proxy, "bob", first)
        asking = threading.Thread(target=ask)
        stack.callback(asking.join, 20), stack.callback(done.set)
        asking.start()
        eventually(lambda: len(statuses) > 10, "somebody asks all the time")
        gone.process.send_signal(how)
        gone.process.wait(20)
        eventually(lambda: first.client.connected != second.client.connected, "the node's own clients go, no others")
        stayed = first if first.client.connected else second
        assert proxy.ready_nodes() == {stayed.node}
        stayed.settle()
        gone.start()
        eventually(lambda: len(proxy.ready_nodes()) == 2, "the node is back")
    assert set(statuses) == {200}, statuses


def test_while_the_database_is_away_the_nodes_say_so_themselves(deploy: Callable[..., Deployment]) -> None:
    deployment = deploy()
    proxy, postgres = deployment.proxy, deployment.services.postgres
    with Scenario(proxy) as s:
        clients = [s.stack.enter_context(ProxyClient(proxy, s.name("alice"), how)) for how in ("polling", "websocket")]
        postgres.stop()
        try:
            # Found unready, and served all the same.
            eventually(lambda: proxy.request("GET", "/readyz").status_code == 503, "no node is ready")
            eventually(lambda: all(f"Server ready/{name} is DOWN" in proxy.log for name in NODES), "and the proxy knows")
            answer = proxy.request("GET", "/api/calls/active", s.name("alice"))
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable"), answer.text
            assert "Retry-After" in answer.headers
            for client in clients:
                refused = client.call("join-call", {"callId": "none"})
                assert refused["code"] == "store_unavailable", refused
        finally:
            postgres.start()
        eventually(lambda: len(proxy.ready_nodes()) == 2, "all is well again")
        assert all(client.client.connected for client in clients)


def test_one_name_is_served_and_loopback_names_to_this_machine_only(deploy: Callable[..., Deployment]) -> None:
    proxy = deploy(PROXY_BIND="0.0.0.0:8443").proxy

    def status(host: str, address: str = "127.0.0.1") -> int:
        context = ssl.create_default_context(cafile=str(proxy.services.certificate))
        context.check_hostname = False
        connection = http.client.HTTPSConnection(address, proxy.port, timeout=10, context=context)
        connection.request("GET", "/healthz", headers={"Host": host})
        return connection.getresponse().status

    for host in ("localhost", f"localhost:{proxy.port}", "LOCALHOST"):
        assert status(host) == 200, host
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1", "node.localhost", ""):
        assert status(host) == 421, host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no address but loopback")
        outside = probe.getsockname()[0]
    assert status("localhost", outside) == 421, "whoever comes by another address may not be anybody"


def test_clients_are_told_apart_by_their_address_and_not_by_their_word(deploy: Callable[..., Deployment]) -> None:
    deployment = deploy()
    # Sixty calls a minute and address are allowed, on each node. Users are others each time.
    asked = 130

    def place(number: int, address: str) -> int:
        context = ssl.create_default_context(cafile=str(deployment.services.certificate))
        connection = http.client.HTTPSConnection(
            "localhost", deployment.proxy.port, timeout=10, context=context, source_address=(address, 0)
        )
        headers = {
            "Authorization": f"Bearer dev:@placer-{address}-{number}:localhost",
            "X-Forwarded-For": f"198.51.100.{number}",
            "Content-Type": "application/json",
        }
        body = {"roomId": f"!placed-{address}-{number}:localhost", "invitees": ["@callee:localhost"]}
        connection.request("POST", "/api/calls/initiate", json.dumps(body), headers)
        return connection.getresponse().status

    statuses = [place(number, "127.0.0.2") for number in range(asked)]
    assert statuses[0] == 201 and statuses[-1] == 429
    assert place(0, "127.0.0.3") == 201

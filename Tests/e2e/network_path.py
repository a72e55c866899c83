"""The network between a browser and the server: TCP and the relay's UDP, which a test can cut and freeze.

Bytes pass unchanged. What a browser says on its WebSocket is read on the way, so that a test can cut exactly there.
"""

import re
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from running_server import RunningServer

CHUNK = 65536
# Longer than any test: what is frozen waits for the thaw.
FOREVER = 600


class NetworkPath:
    """Leads to one server; `url` and `relay_port` stand for the server's own."""

    def __init__(self, server: RunningServer):
        self.server = server
        self._http = ("127.0.0.1", urlsplit(server.url).port)
        self._relay = ("127.0.0.1", server.turn_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagrams.bind(("127.0.0.1", 0))
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._connections: list[Connection] = []
        self._flows: dict[tuple[str, int], socket.socket] = {}
        self._dead_flows: set[tuple[str, int]] = set()
        self._cuts: list[Cut] = []
        self.connection_count = 0
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()
        threading.Thread(target=self._relay_datagrams, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def relay_port(self) -> int:
        return self._datagrams.getsockname()[1]

    @property
    def page_script(self) -> str:
        """Makes the page reach the relay by this path alone: over UDP, and nothing directly."""
        return """
          {
            const byThisPath = (configuration) => ({
              ...configuration,
              iceTransportPolicy: "relay",
              iceServers: configuration.iceServers
                .filter((server) => server.username)
                .map((server) => ({ ...server, urls: "turn:127.0.0.1:%d?transport=udp" })),
            });
            const Real = RTCPeerConnection;
            window.RTCPeerConnection = class extends Real {
              constructor(configuration) { super(byThisPath(configuration)); }
              setConfiguration(configuration) { super.setConfiguration(byThisPath(configuration)); }
            };
          }
        """ % self.relay_port

    def cut(self) -> None:
        """Every connection breaks, and the addresses that datagrams were sent from are worth nothing: another network."""
        self.cut_connections()
        self.cut_datagrams()

    def cut_connections(self) -> None:
        with self._lock:
            broken, self._connections = self._connections, []
        for connection in broken:
            connection.close()

    def cut_datagrams(self) -> None:
        with self._lock:
            self._dead_flows |= set(self._flows)

    def lead_to(self, server: RunningServer) -> None:
        """To another server from now on, as a balancer does when one is gone: TCP and the relay both."""
        with self._lock:
            self.server = server
            self._http = ("127.0.0.1", urlsplit(server.url).port)
            self._relay = ("127.0.0.1", server.turn_port)
            left, self._flows = self._flows, {}
        for flow in left.values():
            flow.close()
        self.cut_connections()

    def freeze(self) -> None:
        """Nothing passes and nobody is told; bytes wait, datagrams are lost."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def cut_at(self, event: str, delivered: bool) -> "Cut":
        """Breaks the connection at the browser's next event of this name. The server gets to hear it or does not; the
        acknowledgement is lost in either case."""
        cut = Cut(event, delivered)
        self._cuts.append(cut)
        return cut

    def close(self) -> None:
        self._closed = True
        self.thaw()
        self._listener.close()
        self._datagrams.close()
        self.cut_connections()
        for flow in self._flows.values():
            flow.close()

    def wait_until_flowing(self) -> None:
        self._flowing.wait(FOREVER)

    def take_cut(self, event: str) -> "Cut | None":
        """The cut that is due at this event, if one is; it is due once."""
        with self._lock:
            for cut in self._cuts:
                if cut.event == event:
                    self._cuts.remove(cut)
                    return cut
        return None

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                browser, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._http)
                except ConnectionRefusedError:
                    browser.close()
                    continue
                connection = Connection(self, browser, server)
                with self._lock:
                    self._connections.append(connection)
                    self.connection_count += 1
                connection.start()

    def _relay_datagrams(self) -> None:
        """Every address that the browser sends from is an address of its own towards the relay."""
        with suppress(OSError, ValueError):
            while not self._closed:
                sources = {flow: address for address, flow in list(self._flows.items())}
                # A flow that is closed meanwhile, since the path leads elsewhere, is no end of the others.
                with suppress(OSError, ValueError):
                    for ready in select.select([self._datagrams, *sources], [], [], 0.5)[0]:
                        self._pass_datagram(ready, sources.get(ready))

    def _pass_datagram(self, ready: socket.socket, browser: tuple[str, int] | None) -> None:
        datagram, sender = ready.recvfrom(CHUNK)
        if browser is None and sender not in self._flows:
            flow = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            flow.connect(self._relay)
            self._flows[sender] = flow
        if not self._flowing.is_set() or (browser or sender) in self._dead_flows:
            return
        with suppress(ConnectionError):
            if browser is None:
                self._flows[sender].send(datagram)
            else:
                self._datagrams.sendto(datagram, browser)


class Cut:
    """One event at which a connection breaks."""

    def __init__(self, event: str, delivered: bool):
        self.event, self.delivered = event, delivered
        self.done = threading.Event()


class Connection:
    """One TCP connection of the browser and its twin to the server."""

    def __init__(self, path: NetworkPath, browser: socket.socket, server: socket.socket):
        self.path, self.browser, self.server = path, browser, server
        self._is_cut = False

    def start(self) -> None:
        for way in (self._to_browser, self._to_server):
            threading.Thread(target=self._pass, args=(way,), daemon=True).start()

    def close(self) -> None:
        self._is_cut = True
        for end in (self.browser, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _pass(self, way: Callable[[], None]) -> None:
        with suppress(OSError):
            way()
        # The end, too, comes through only when something does.
        self.path.wait_until_flowing()
        self.close()

    def _to_browser(self) -> None:
        while data := self.server.recv(CHUNK):
            self.path.wait_until_flowing()
            if self._is_cut:
                return
            self.browser.sendall(data)

    def _to_server(self) -> None:
        reader = ClientFrames()
        while data := self.browser.recv(CHUNK):
            self.path.wait_until_flowing()
            for frame, event in reader.read(data):
                cut = self.path.take_cut(event) if event else None
                if cut is None:
                    self.server.sendall(frame)
                    continue
                self._is_cut = True
                if cut.delivered:
                    self.server.sendall(frame)
                self.close()
                cut.done.set()
                return


class ClientFrames:
    """What a browser sends, in the pieces that a test may want to cut between: an HTTP request, or WebSocket frames."""

    def __init__(self) -> None:
        self._pending = b""
        self._is_websocket: bool | None = None

    def read(self, data: bytes) -> Iterator[tuple[bytes, str | None]]:
        """The pieces that are complete now, each with the name of the Socket.IO event in it, if there is one."""
        self._pending += data
        if self._is_websocket is None:
            head, end, rest = self._pending.partition(b"\r\n\r\n")
            if not end:
                return
            self._is_websocket = b"upgrade: websocket" in head.lower()
            self._pending = rest
            yield head + end, None
        if not self._is_websocket:
            piece, self._pending = self._pending, b""
            yield piece, None
            return
        while frame := self._take_frame():
            yield frame

    def _take_frame(self) -> tuple[bytes, str | None] | None:
        if len(self._pending) < 2:
            return None
        length, header = self._pending[1] & 0x7F, 2
        if extended := {126: 2, 127: 8}.get(length):
            length, header = int.from_bytes(self._pending[2 : 2 + extended]), 2 + extended
        total = header + 4 + length
        if len(self._pending) < total:
            return None
        frame, self._pending = self._pending[:total], self._pending[total:]
        mask, payload = frame[header : header + 4], frame[header + 4 :]
        text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload[:80]))
        event = re.match(rb'42\d*\["([^"]+)"', text)
        return frame, event[1].decode() if event else None

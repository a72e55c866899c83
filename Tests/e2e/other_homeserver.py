"""What another homeserver may answer when it is asked whose an OpenID token is: the truth, a lie, or no end of it."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

USERINFO = "/_matrix/federation/v1/openid/userinfo"
ENDLESS_BLOCK = b" " * 65_536
# More than any sensible limit and all buffers of both ends together.
ENDLESS_BYTES = 256 << 20


class OtherHomeserver:
    """Listens on loopback and answers each token in its own way: `with OtherHomeserver() as other:`."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        # The path and query of every request.
        self.asked: list[str] = []
        self.hung_up = threading.Event()
        other = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                other.asked.append(self.path)
                asked = urlsplit(self.path)
                [token] = parse_qs(asked.query).get("access_token", [""])
                answer = other.answers.get(token) if asked.path == USERINFO else None
                (answer or other.json(401, {"errcode": "M_UNKNOWN_TOKEN", "error": "Unknown"}))(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> "OtherHomeserver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @staticmethod
    def json(status: int, body: object) -> Callable[[BaseHTTPRequestHandler], None]:
        return OtherHomeserver.text(status, json.dumps(body))

    @staticmethod
    def text(status: int, body: str, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(body.encode())

        return answer

    def endless(self) -> Callable[[BaseHTTPRequestHandler], None]:
        """Goes on until who asked hangs up, which `hung_up` tells."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            self.text(200, "")(request)
            try:
                for _ in range(ENDLESS_BYTES // len(ENDLESS_BLOCK)):
                    request.wfile.write(ENDLESS_BLOCK)
            except OSError:
                self.hung_up.set()

        return answer

    def dripping(self, body: object, seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
        """A byte now and then, never long after the last one, for so long; only then what was asked for."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            self.text(200, "")(request)
            with suppress(OSError):  # who asked has hung up
                for _ in range(int(seconds * 2)):
                    request.wfile.write(b" ")
                    time.sleep(0.5)
                request.wfile.write(json.dumps(body).encode())

        return answer

"""Somebody else's server that is told of calls: verifies what it is sent, and answers as the test wants."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = "whsec_" + base64.b64encode(b"a secret of the tests").decode()


def verify(headers: dict[str, str], body: bytes) -> None:
    """As the Standard Webhooks specification says, from its text."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert hmac.compare_digest(headers["webhook-signature"], f"v1,{expected}"), "the signature is wrong"
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 60, "the time is wrong"


class WebhookReceiver:
    """Takes notices until the end of a `with`; `answer` says with which status."""

    def __init__(self, answer: Callable[[dict], int] = lambda notice: 204) -> None:
        self.answer = answer
        self.notices: list[tuple[str, dict]] = []
        """Every notice that was posted, with its id, whatever was answered."""
        self.taken: list[tuple[str, dict]] = []
        """Those that were answered with 2xx."""
        self.faults: list[str] = []
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:  # the sender was killed meanwhile, and sends it again
                    self.close_connection = True
                    return
                status = receiver._receive({key.lower(): value for key, value in self.headers.items()}, body)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that was killed is what some tests are about; faults are told by `faults`."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def _receive(self, headers: dict[str, str], body: bytes) -> int:
        try:
            verify(headers, body)
            assert headers["content-type"] == "application/json"
            notice = json.loads(body)
        except Exception as fault:  # noqa: BLE001: told by `faults`, in the test's own thread
            self.faults.append(repr(fault))
            return 400
        with self._lock:
            self.notices.append((headers["webhook-id"], notice))
        status = self.answer(notice)
        if 200 <= status < 300:
            with self._lock:
                self.taken.append((headers["webhook-id"], notice))
        return status

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/calls"

    @property
    def settings(self) -> dict[str, str]:
        return {"CALL_WEBHOOK_URL": self.url, "CALL_WEBHOOK_SECRET": SECRET}

    def of(self, call_id: str) -> list[dict]:
        """What was taken of a call, each notice once, in the order in which it was first taken."""
        with self._lock:
            found = {name: notice for name, notice in reversed(self.taken) if notice["data"]["callId"] == call_id}
        return list(reversed(found.values()))

    def __enter__(self) -> "WebhookReceiver":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        assert not self.faults, self.faults

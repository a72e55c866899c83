"""A cable between a client and a server, which a test may pull out and put back."""

import select
import socket
import threading
from contextlib import suppress


class TCPCable:
    """Leads from a port of its own to a port of loopback. While it is out, connections are reset and none is made."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._is_out = False
        self._unanswered: bytes | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                near, _ = self._listener.accept()
                with self._lock:
                    if self._is_out:
                        self._reset(near)
                        continue
                    far = socket.create_connection(self._target)
                    self._pairs.append((near, far))
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        is_deaf = False
        with suppress(OSError, ValueError):  # pulled out
            while True:
                for source in select.select([near, far], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        raise OSError("the end")
                    if source is near and self._unanswered and self._unanswered in data:
                        is_deaf, self._unanswered = True, None
                    if source is near or not is_deaf:
                        (far if source is near else near).sendall(data)
        for end in (near, far):
            end.close()

    def lose_answers_from(self, words: bytes) -> None:
        """When the client next says these words, they arrive, and nothing that the server says on that connection does."""
        self._unanswered = words

    @property
    def has_lost(self) -> bool:
        return self._unanswered is None

    @staticmethod
    def _reset(end: socket.socket) -> None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        end.close()

    def pull(self) -> None:
        with self._lock:
            self._is_out = True
            for pair in self._pairs:
                for end in pair:
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
            self._pairs = []

    def plug(self) -> None:
        with self._lock:
            self._is_out = False

    def close(self) -> None:
        self.pull()
        self._listener.close()

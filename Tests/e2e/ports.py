"""Ports for servers and peers of the tests."""

import errno
import random
import socket
from contextlib import ExitStack

# Where the kernel gives out no ports by itself and no relay has its own: what is free here stays so until it is used.
QUIET_PORTS = range(10_000, 32_000)


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port that is free now on 127.0.0.1."""
    return free_ports(1, kind)[0]


def free_ports(count: int, kind: int = socket.SOCK_STREAM) -> range:
    """So many consecutive ports that are free now on 127.0.0.1."""
    for _ in range(1000):
        first = random.randrange(QUIET_PORTS.start, QUIET_PORTS.stop - count)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            return range(first, first + count)
    raise RuntimeError(f"no {count} free ports one after the other")


def is_free(port: int, kind: int = socket.SOCK_STREAM) -> bool:
    """Whether nobody has this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True

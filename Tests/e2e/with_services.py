#!/usr/bin/env python3
"""Runs a command with a PostgreSQL and a Redis server of its own, which are there for as long as it runs:

    .venv/bin/python Tests/e2e/with_services.py swift test --skip-build

It finds them by CALLRELAY_TEST_POSTGRES and CALLRELAY_TEST_REDIS.
"""

import os
import subprocess
import sys

from postgres_server import VARIABLE, postgresql
from redis_server import redis_server


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 64
    with postgresql() as postgres, redis_server() as redis:
        environment = {**os.environ, VARIABLE: postgres.url(), "CALLRELAY_TEST_REDIS": redis.url}
        return subprocess.run(sys.argv[1:], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())

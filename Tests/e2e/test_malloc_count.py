"""Relaying a packet allocates nothing, as a process of its own shows."""

import subprocess

import pytest

from running_server import REPOSITORY, binary

pytestmark = pytest.mark.alone


def test_nothing_is_allocated_for_a_relayed_packet():
    server = binary("callrelay")
    if "release" not in server.resolve().parts and "release" not in server.parts:
        pytest.skip("only an optimised build keeps its packet path free of allocations")
    outcome = subprocess.run(
        [REPOSITORY / "scripts/malloc-count.sh", server, "serve"], capture_output=True, text=True, timeout=300
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "100000 packets relayed" in outcome.stdout
    assert "0 allocations on the packet path" in outcome.stdout

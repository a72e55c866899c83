"""No function of the packet path allocates, counts a reference or copies a payload, as the machine code shows."""

import subprocess

import pytest

from running_server import REPOSITORY, binary


def test_the_packet_path_allocates_counts_and_copies_nothing():
    server = binary("callrelay")
    if "release" not in server.resolve().parts and "release" not in server.parts:
        pytest.skip("only an optimised build keeps its packet path free of allocations and copies")
    outcome = subprocess.run(
        [REPOSITORY / "scripts/hot-path.sh", server], capture_output=True, text=True, timeout=300
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "system functions: " in outcome.stdout
    assert "recvmmsg" in outcome.stdout
    assert "no allocation, no reference count and no copy on the packet path" in outcome.stdout

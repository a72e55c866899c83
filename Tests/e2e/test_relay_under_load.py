"""One shard, one loud neighbour: the calls beside it lose nothing worth the name. `make flood` measures it in full."""

import os
from pathlib import Path

import pytest

from relay_under_load import PACKETS_PER_SECOND, build_generator, measure
from running_server import binary

pytestmark = pytest.mark.alone

SECONDS, CLIENTS = 5, 20
LOSS_LIMIT = 0.001
# A shard that others keep from its processor for some of the time says nothing about itself by what it loses, unless it had
# most of the time all the same: these floods need less than half of it.
WAITING_LIMIT, ENOUGH = 0.1, 0.6
MEASUREMENTS = 4


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_generator(tmp_path_factory.mktemp("generator"))


# The rates of strangers are what the server must stand. A client's is one that a machine with other work to do can still
# relay, each packet in and out: beyond what it can relay, everybody's packets wait in one queue.
@pytest.mark.parametrize("flood, rate", [("peer", 100_000), ("client", 40_000), ("server", 100_000)])
def test_calls_beside_a_flood_lose_nothing(start_server, generator: Path, flood: str, rate: int) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("the flood would take the shard's own processor away")
    if "release" not in binary("callrelay").resolve().parts:
        pytest.skip("only an optimised build is as fast as it has to be")
    server = start_server(TURN_WORKERS="1", TURN_UNAUTH_REPLIES="50", LOG_LEVEL="info")
    unexplained = []
    for _ in range(MEASUREMENTS):
        outcome = measure(server, generator, flood, rate=rate, seconds=SECONDS, clients=CLIENTS)
        print(outcome)
        assert outcome.sent == 2 * SECONDS * CLIENTS * PACKETS_PER_SECOND
        if outcome.thrown_per_second >= rate * 0.9 and outcome.loss <= LOSS_LIMIT:
            return
        was_starved = outcome.waiting > WAITING_LIMIT and outcome.running < ENOUGH
        if outcome.loss > LOSS_LIMIT and not was_starved:
            unexplained.append(outcome)
        # A virtual machine may be held for longer than any buffer lasts, which nothing here can see: once, not twice.
        assert len(unexplained) < 2, unexplained
    pytest.skip(f"the machine is too busy to throw {rate} datagrams a second, or for the shard to run: {outcome}")

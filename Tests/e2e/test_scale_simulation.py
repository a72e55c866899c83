"""`scale-simulation`: sizes of deployments, and their relays in virtual time."""

import json
import subprocess

import pytest

from running_server import binary


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([binary("scale-simulation"), *arguments], capture_output=True, text=True, timeout=60)


def loads(*arguments: str) -> list[dict]:
    done = simulate(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)["loads"]


def test_what_it_sizes_is_arithmetic_that_can_be_followed() -> None:
    arguments = ["--calls", "9000", "--hold-seconds", "90", "--answered", "0.5", "--sample", "4"]
    sizes = loads(*arguments, "--relayed", "0.1", "--video", "0", "--sockets-per-call", "10")[0]["sizes"]
    # 9,000 calls of 90 s: 100 are answered in a second, and as many are not.
    assert sizes["startedPerSecond"] == pytest.approx(200)
    assert sizes["changesPerSecond"] == pytest.approx(100 * 50 + 100 * 6)
    assert sizes["sockets"] == 90_000
    # 50 packets a second each way, of each of the 900 calls that are relayed.
    assert sizes["relayedPackets"] == pytest.approx(900 * 100)
    # Two relays for each side of a call, and for the caller while it rings.
    assert sizes["allocations"] == pytest.approx(2 * 2 * 9_000 + 2 * 200 * 10)


def test_relays_hold_what_the_load_brings_and_a_seed_brings_the_same_again() -> None:
    arguments = ["--calls", "5000", "--sample", "4", "--seed", "7"]
    first, again = loads(*arguments), loads(*arguments)
    assert first == again
    load = first[0]
    steady = load["fleets"][0]["figures"]["steady"]
    held = steady["meanAllocations"] * load["fleets"][0]["figures"]["relays"]
    assert held == pytest.approx(load["sizes"]["allocations"], rel=0.05)
    assert steady["meanAllocations"] <= steady["peakAllocations"] < 1.2 * steady["meanAllocations"]
    assert steady["refused"] == 0 and steady["withoutRelay"] == 0


def test_whoever_was_relayed_by_a_relay_that_dies_is_relayed_by_another() -> None:
    figures = loads("--calls", "5000", "--sample", "4")[0]["fleets"][0]["figures"]
    carried = figures["steady"]["meanCarried"]
    # Some of those calls end before anybody notices.
    assert 0.7 * carried < figures["restarted"] < 1.3 * carried
    assert figures["after"]["withoutRelay"] == 0
    assert figures["after"]["meanCarried"] > carried


def test_the_least_loaded_of_all_is_a_herd_and_a_few_that_are_drawn_are_not() -> None:
    fleets = loads("--calls", "100000", "--sample", "0", "--sample", "4", "--hold-seconds", "120")[0]["fleets"]
    herd, drawn = (fleet["figures"]["steady"] for fleet in fleets)
    assert drawn["peakNewPerSecond"] < herd["peakNewPerSecond"] / 3
    assert drawn["peakAllocations"] / drawn["meanAllocations"] < 1.05
    assert herd["peakAllocations"] / herd["meanAllocations"] > 1.10


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["--calls", "1"], "--calls"), (["--relayed", "2"], "--relayed"), (["--hold-seconds", "0"], "--hold-seconds")],
)
def test_a_wrong_option_is_named(arguments: list[str], named: str) -> None:
    done = simulate(*arguments)
    assert done.returncode == 64 and named in done.stderr


def test_people_are_shown_tables_and_the_help_says_what_they_are() -> None:
    done = simulate("--calls", "1000", "--sample", "4")
    assert done.returncode == 0
    assert "| **relays** | 2 |" in done.stdout and "least loaded of 4 drawn" in done.stdout
    assert "1000 calls" in done.stderr
    assert "kB" in simulate("--part", "costs").stdout
    assert "virtual time" in simulate("--help").stdout

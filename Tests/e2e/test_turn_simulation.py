"""The simulation of many allocations, with few: every look-up is right, or the program says so and fails."""

import json
import subprocess

import pytest

from running_server import binary

FIGURES = {
    "allocations", "lookups", "routeUpNanoseconds", "routeDownNanoseconds", "routeSendNanoseconds",
    "sweepNanosecondsPerSlot", "expiryNanosecondsEach", "setupCPUMicrosecondsEach", "longestRequestMilliseconds",
    "residentBytesEach",
}  # fmt: skip


def simulate(*arguments: str, status: int = 0) -> subprocess.CompletedProcess:
    done = subprocess.run([binary("turn-simulation"), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_figures_of_each_number_of_allocations():
    done = simulate("--allocations", "300", "--allocations", "1", "--lookups", "1000", "--json")
    assert done.stderr == ""
    most, least = json.loads(done.stdout)["simulations"]
    assert (most["allocations"], most["lookups"]) == (300, 1200)
    assert (least["allocations"], least["lookups"]) == (1, 1000)
    for figures in (most, least):
        assert figures.keys() == FIGURES
        assert all(value > 0 for name, value in figures.items() if name != "residentBytesEach")


def test_more_allocations_than_one_address_has_ports():
    (figures,) = json.loads(simulate("--allocations", "33000", "--lookups", "1", "--json").stdout)["simulations"]
    assert figures["lookups"] == 33_000
    assert 200 < figures["residentBytesEach"] < 20_000


def test_a_table_and_a_live_line_for_people():
    done = simulate("--allocations", "500", "--lookups", "1")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["allocations", "500"]
    assert rows[1][:3] == ["route", "ChannelData,", "ns"]
    assert "500 allocations: look-ups\n" in done.stderr


REFUSED = {
    "no allocations": (["--allocations", "0"], "--allocations must be 1 to 10000000"),
    "too many": (["--allocations", "10000001"], "--allocations must be 1 to 10000000"),
    "no look-ups": (["--lookups", "0"], "--lookups must be 1 to"),
    "no number": (["--allocations", "many"], "--allocations"),
    "an unknown option": (["--sockets", "1"], "--sockets"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_by_name(case):
    arguments, words = REFUSED[case]
    assert words in simulate(*arguments, status=64).stderr


def test_help_suffices():
    text = simulate("--help").stdout
    for option in ("--allocations", "--lookups", "--json"):
        assert option in text

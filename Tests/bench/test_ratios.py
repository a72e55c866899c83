"""Medians, ratios of medians, spread and wins."""

import pytest

import ratios
from cases import COTURN, OURS
from records import Record, Run
from synthetic import MACHINE, SETTINGS, result
from values import cpu


def test_ratio_is_of_the_medians_and_the_spread_is_of_the_rounds() -> None:
    found = ratios.compare({0: 1.0, 1: 2.0, 2: 9.0}, {0: 4.0, 1: 4.0, 2: 3.0})
    assert found is not None
    assert (found.ours, found.theirs, found.ratio) == (2.0, 4.0, 0.5)
    assert (found.lowest, found.highest) == (0.25, 3.0)
    assert (found.wins, found.rounds) == (2, 3)


def test_a_round_that_only_one_has_is_left_out() -> None:
    found = ratios.compare({0: 1.0, 1: 100.0}, {0: 2.0, 2: 100.0})
    assert found is not None
    assert (found.ratio, found.rounds) == (0.5, 1)


def test_an_equal_round_is_no_win() -> None:
    found = ratios.compare({0: 2.0}, {0: 2.0})
    assert found is not None
    assert found.wins == 0


def test_nothing_in_common_is_no_comparison() -> None:
    assert ratios.compare({0: 1.0}, {1: 1.0}) is None
    assert ratios.compare({0: 1.0}, {0: 0.0}) is None
    assert ratios.summarize({}) is None


def test_the_median_of_an_even_number_of_rounds_is_the_middle() -> None:
    found = ratios.summarize({0: 1.0, 1: 2.0, 2: 4.0, 3: 100.0})
    assert found == ratios.Summary(3.0, 1.0, 100.0, 4)


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_void_run_is_not_counted(attempts: int) -> None:
    def run(number: int, server: str, time: float, void: list[str]) -> Run:
        return Run("voice", "case", number, server, "loopback", attempts, result(time, void=void))

    runs = [run(0, OURS, 100, []), run(0, COTURN, 200, []), run(1, OURS, 1, ["busy"]), run(1, COTURN, 200, [])]
    record = Record(MACHINE, SETTINGS, runs)
    assert record.values("case", OURS, cpu) == {0: 100}
    assert record.rounds("case") == 2
    found = ratios.compare(record.values("case", OURS, cpu), record.values("case", COTURN, cpu))
    assert found is not None
    assert (found.ratio, found.rounds) == (0.5, 1)


def test_a_server_that_delivered_nothing_has_no_cost_per_packet() -> None:
    assert cpu(result(0.0)) is None
    assert cpu({"void": []}) is None

"""Tests that each wait for the server to notice something: all of a module begin at its start, and wait at once.

They are looked at when the module's other tests, which are run meanwhile, are over.
"""

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import pytest

Scenario = Callable[..., object]
Test = Callable[..., None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    modules: dict[object, int] = {}
    for item in items:
        modules.setdefault(item.path, len(modules))
    items.sort(key=lambda item: (modules[item.path], _scenario_of(item) is not None))


def _scenario_of(item: pytest.Item) -> str | None:
    """The name of what the test looks at: its own, unless its mark says otherwise."""
    mark = item.get_closest_marker("shares_the_wait")
    return mark and mark.kwargs.get("of", item.name)


class SharedWait:
    """The module has one, as the decorator of such tests, and an autouse fixture `under_way` that begins them.

    Each runs in a thread of its own. Its arguments are what the fixture has under their names.
    """

    def __init__(self, at_once: int | None = None) -> None:
        """No more than so many, if their beginnings are too much for a machine together."""
        self._scenarios: dict[str, Scenario] = {}
        self._at_once = at_once

    def __call__(self, scenario: Scenario) -> Test:
        """Makes a test of it which begins with all others of the kind."""
        self._scenarios[scenario.__name__] = scenario

        def test(under_way: dict[str, Future], request: pytest.FixtureRequest) -> None:
            under_way[request.node.name].result()

        return _marked(test, scenario)

    def with_each(self, argument: str, values: list[str]) -> Callable[[Scenario], Test]:
        """Makes a test of it for each of the values, as pytest's `parametrize` does."""

        def made(scenario: Scenario) -> Test:
            for value in values:
                self._scenarios[f"{scenario.__name__}[{value}]"] = partial(scenario, **{argument: value})

            def test(under_way: dict[str, Future], request: pytest.FixtureRequest, which: str) -> None:
                under_way[request.node.name].result()

            return pytest.mark.parametrize("which", values)(_marked(test, scenario))

        return made

    @contextmanager
    def begun(
        self, request: pytest.FixtureRequest, given: Callable[[], AbstractContextManager[dict[str, object]]]
    ) -> Iterator[dict[str, Future]]:
        """What each of those that are to be run comes to, by name; all have ended afterwards."""

        def run(scenario: Scenario) -> object:
            wanted = inspect.signature(scenario).parameters
            with given() as available:
                return scenario(**{name: value for name, value in available.items() if name in wanted})

        ours = [_scenario_of(item) for item in request.session.items if item.path == request.path]
        names = list(dict.fromkeys(name for name in ours if name))
        with ThreadPoolExecutor(self._at_once or max(1, len(names))) as workers:
            yield {name: workers.submit(run, self._scenarios[name]) for name in names}


def _marked(test: Test, scenario: Scenario) -> Test:
    test.__name__, test.__doc__ = scenario.__name__, scenario.__doc__
    return pytest.mark.shares_the_wait(test)

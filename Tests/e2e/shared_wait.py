"""Tests that each wait for the server to notice something: all of a module begin together, and wait at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

Scenario = TypeVar("Scenario", bound=Callable[..., object])


class SharedWait(Generic[Scenario]):
    """The module has one, as the decorator of such tests, and a fixture `under_way` that begins them.

    What a scenario is called with is the fixture's matter. Each runs in a thread of its own.
    """

    def __init__(self) -> None:
        self._scenarios: dict[str, Scenario] = {}

    def __call__(self, scenario: Scenario) -> Callable[[dict[str, Future]], None]:
        """Makes a test of it which begins with all others of the kind."""
        self._scenarios[scenario.__name__] = scenario

        def test(under_way: dict[str, Future]) -> None:
            under_way[scenario.__name__].result()

        test.__name__, test.__doc__ = scenario.__name__, scenario.__doc__
        return test

    @contextmanager
    def begun(self, run: Callable[[Scenario], object]) -> Iterator[dict[str, Future]]:
        """What each comes to, by name; all have ended afterwards."""
        with ThreadPoolExecutor(len(self._scenarios)) as workers:
            yield {name: workers.submit(run, scenario) for name, scenario in self._scenarios.items()}

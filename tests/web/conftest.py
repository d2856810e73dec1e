"""A browser, the stand-in server, and pages opened on it."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from browsing import NoChromium, Opened, launched, opened, soon
from stand_in import StandIn, serving


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium; each context of it has a profile of its own.

    Of a module, not the session: while the driver runs, no other test of the process could run a loop.
    """
    with contextlib.ExitStack() as held:
        try:
            found = held.enter_context(launched())
        except NoChromium as missing:
            pytest.skip(str(missing))
        yield found


@pytest.fixture(scope="session")
def running():
    with serving(StandIn()) as stand:
        yield stand


@pytest.fixture
def stand(running):
    """The server as it is while all is well."""
    running.reset()
    return running


@pytest.fixture
def visit(browser, stand) -> Iterator[Callable[..., Opened]]:
    with contextlib.ExitStack() as held:
        yield lambda **options: held.enter_context(opened(browser, stand, **options))


@pytest.fixture(scope="module")
def shown(browser, running) -> Iterator[Opened]:
    """One page for all tests that only read it."""
    running.reset()
    with opened(browser, running) as found:
        loading = found.page.locator("[role=status][aria-label$='is loading']")
        soon(lambda: loading.count() == 0, found.page)
        yield found

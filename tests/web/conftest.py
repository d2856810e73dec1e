"""A browser, the stand-in server, and pages opened on it."""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from stand_in import StandIn, serving

FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium; each context of it has a profile of its own."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(FLAGS)
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=path, args=flags)
        yield found
        found.close()


@pytest.fixture(scope="session")
def running():
    with serving(StandIn()) as stand:
        yield stand


@pytest.fixture
def stand(running):
    """The server as it is while all is well."""
    running.reset()
    return running


class Opened:
    """A page with all that it asked for and complained of."""

    def __init__(self, page, address: str) -> None:
        self.page = page
        self.address = address
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("websocket", lambda socket: self.asked.append(socket.url))
        page.on("console", lambda said: self._heard(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.complaints.append(text)


@contextlib.contextmanager
def opened(browser, stand: StandIn, *, ready: str = ".legend", **options) -> Iterator[Opened]:
    """The page in a fresh context, once `ready` is there."""
    context = browser.new_context(
        **{"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark", **options}
    )
    context.set_default_timeout(20_000)
    try:
        found = Opened(context.new_page(), stand.address)
        found.page.goto(stand.entrance)
        if ready:
            found.page.wait_for_selector(ready)
        yield found
    finally:
        context.close()


@pytest.fixture
def visit(browser, stand) -> Iterator[Callable[..., Opened]]:
    with contextlib.ExitStack() as held:
        yield lambda **options: held.enter_context(opened(browser, stand, **options))


@pytest.fixture(scope="module")
def shown(browser, running) -> Iterator[Opened]:
    """One page for all tests that only read it."""
    running.reset()
    with opened(browser, running) as found:
        yield found

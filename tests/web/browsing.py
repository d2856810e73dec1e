"""Chromium, a page in a fresh context of it with all that it asked for and complained of, and how to read one."""

import contextlib
import io
import os
import re
import shutil
from collections.abc import Iterator

import numpy as np
from PIL import Image
from stand_in import StandIn

FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

# in the order of the page; what a position needs to fill it is not entered
PANELS = (
    "verdict", "chart", "triggers", "fuel", "cascade", "levels", "carry", "flows", "position", "health", "drill",
)  # fmt: skip
_LEFTOVERS = re.compile(r"\b(NaN|undefined|null|Infinity)\b|\[object")


class NoChromium(Exception):
    """There is no browser on this machine."""


@contextlib.contextmanager
def launched():
    """Debian's Chromium, headless, with a profile of its own for each context."""
    path = shutil.which("chromium")
    if path is None:
        raise NoChromium("no chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(FLAGS)
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=path, args=flags)
        yield found
        found.close()


def text_of(page, panel: str) -> str:
    """What a reader sees in a panel, with plain spaces."""
    return re.sub(r"\s+", " ", page.locator(f"#{panel}").inner_text().replace("\u202f", " "))


def check_text(page, panel: str) -> None:
    """A panel says something, and nothing that only code would."""
    text = text_of(page, panel)
    assert len(text) > 30
    assert not _LEFTOVERS.search(text), text


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


def colours(shot: bytes) -> tuple[int, int]:
    """How many pixels of a picture are clearly orange, and clearly blue."""
    pixels = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    more = pixels[..., 0] - pixels[..., 2]
    return int((more > 60).sum()), int((more < -60).sum())


def soon(check, page) -> None:
    """Wait until a check holds: pixels follow an act by some frames."""
    for _ in range(100):
        if check():
            return
        page.wait_for_timeout(100)
    assert check()

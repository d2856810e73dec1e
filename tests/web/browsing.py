"""A page in a fresh context of the browser, with all that it asked for and complained of."""

import contextlib
import io
from collections.abc import Iterator

import numpy as np
from PIL import Image
from stand_in import StandIn

FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


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

"""The dashboard in headless Chromium: frames a second while panning 1,500 x 400 cells, first paint, all there."""

import gzip
import json
import statistics
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Figure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "web"))
from browsing import NoChromium, launched
from stand_in import STATIC, StandIn, recorded, serving

_COLUMNS, _ROWS = 1_500, 400
_DESK = {"width": 1440, "height": 900}
_READY = """new MutationObserver((_, watch) => {
  if (!document.querySelector('.legend') || !document.querySelector('#verdict .machine')) return;
  window.readyAt = performance.now();
  watch.disconnect();
}).observe(document, {subtree: true, childList: true});"""
# one bar a frame, back and forth, with the candles, five panes, zones, bubbles and the fan on it
_PAN = """(seconds) => new Promise((done) => {
  const chart = document.querySelector('.canvas').marketChart;
  chart.zoom(3);
  const begun = performance.now();
  let frames = 0, longest = 0, before = begun;
  const step = (now) => {
    longest = Math.max(longest, now - before); before = now; frames += 1;
    chart.pan(Math.floor(frames / 60) % 2 ? 2 : -2);
    if (now - begun < seconds * 1000) requestAnimationFrame(step);
    else done({fps: frames / (now - begun) * 1000, longest});
  };
  requestAnimationFrame(step);
})"""


def _heat() -> bytes:
    """A grid of that size over the recorded candles, in the API's own layout."""
    bars = json.loads(recorded("bars-1h.json"))
    close = np.asarray(bars["close"][-_COLUMNS:], np.float32)
    edge = np.geomspace(close.min() * 0.8, close.max() * 1.2, _ROWS + 1)
    cells = np.random.default_rng(1).integers(0, 256, (_COLUMNS, _ROWS)).astype(np.uint8)
    head = {
        "topic": "heat", "kind": "snapshot", "epoch": "e1", "sequence": 1, "asset": "ETH", "as_of": bars["as_of"],
        "columns": len(close), "rows": _ROWS, "column_s": 3600, "edge": edge.tolist(), "full_usd": 1e8,
    }  # fmt: skip
    text = json.dumps(head).encode()
    text += b" " * (-(8 + len(text)) % 8)
    time_s = np.asarray(bars["open_s"][-_COLUMNS:], np.float64)
    return b"".join(
        (
            b"APH1",
            struct.pack("<I", len(text)),
            text,
            time_s.tobytes(),
            close.tobytes(),
            cells.tobytes(),
        )
    )


def figures() -> Iterator[Figure]:
    """Each page in a fresh profile; medians of five for the times."""
    try:
        with serving(StandIn()) as stand, launched() as browser:
            found = [_loaded(browser, stand) for _ in range(5)]
            stand.instead = {"map/heat": _heat()}
            panned = _panned(browser, stand)
    except NoChromium as missing:
        sys.stderr.write(f"{missing}: nothing measured\n")
        return
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.iterdir())
    yield Figure("page: pan over 1,500 x 400 cells", "fps", round(panned["fps"], 1))
    yield Figure("page: longest frame while panning", "ms", round(panned["longest"], 1))
    for name, times in zip(
        ("first paint", "every figure there and the chart drawn"),
        zip(*found, strict=True),
        strict=True,
    ):
        yield Figure(f"page: {name}", "ms", round(statistics.median(times)))
    yield Figure("page: bundle, gzip", "kB", round(size / 1e3, 1))


def _loaded(browser: Any, stand: StandIn) -> tuple[float, float]:
    """(first paint, all there), ms by the page's own clock: what the measuring tool takes is not counted."""
    page = browser.new_context(viewport=_DESK).new_page()
    page.add_init_script(_READY)
    page.goto(stand.entrance)
    page.wait_for_selector(".legend")
    page.wait_for_selector("#verdict .machine")
    ready = page.evaluate("window.readyAt")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.context.close()
    return paint, ready


def _panned(browser: Any, stand: StandIn) -> dict[str, float]:
    page = browser.new_context(viewport=_DESK).new_page()
    page.goto(stand.entrance)
    page.wait_for_selector(".legend")
    page.wait_for_timeout(1_000)
    return page.evaluate(_PAN, 5)

"""Draws the dashboard's pictures for docs/dashboard.md from the recorded session of the lab, with Chromium."""

import io
import json
import sys
import tempfile
from pathlib import Path

from browsing import PANELS, launched
from PIL import Image
from playwright.sync_api import Browser, Page
from stand_in import StandIn, health, recorded, serving

OUT = Path(__file__).resolve().parent.parent.parent / "docs" / "dashboard"
COLOURS = 256
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def main() -> int:
    """Every picture anew; needs Chromium, and the development environment for the rest."""
    OUT.mkdir(exist_ok=True)
    with (
        serving(StandIn()) as stand,
        launched() as browser,
        tempfile.TemporaryDirectory() as folder,
    ):
        score = Path(folder, "drill.json")
        score.write_bytes(recorded("drill.json"))
        for scheme in ("dark", "light"):
            page = _opened(browser, stand, scheme, DESK)
            _keep(page.screenshot(), f"{scheme}.png")
            if scheme == "dark":
                _panels(page, score)
            page.context.close()
        page = _opened(browser, stand, "dark", PHONE)
        _keep(page.screenshot(), "phone.png")
        page.locator("#chart").scroll_into_view_if_needed()
        page.keyboard.press("2")
        page.wait_for_timeout(300)
        _keep(page.screenshot(), "phone-chart.png")
        page.context.close()
        _troubles(browser, stand)
    total = sum(path.stat().st_size for path in OUT.glob("*.png"))
    sys.stderr.write(f"{len(list(OUT.glob('*.png')))} pictures, {total / 1e3:,.0f} kB, in {OUT}\n")
    return 0


def _opened(
    browser: Browser, stand: StandIn, scheme: str, size: dict[str, int], ready: str = ".legend"
) -> Page:
    context = browser.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    page.goto(stand.entrance)
    page.wait_for_selector(ready)
    page.wait_for_timeout(800)
    return page


def _panels(page: Page, score: Path) -> None:
    page.get_by_role("button", name="Plan it").click()
    page.locator(".hedges table").wait_for()
    page.get_by_role("button", name="draw call spread").click()
    page.locator("#drill input[type=file]").set_input_files(str(score))
    page.locator("#drill table").wait_for()
    # what sticks to the window's edges would lie over the panels
    page.evaluate(
        "document.querySelectorAll('.top, .replay').forEach((bar) => { bar.style.position = 'static'; })"
    )
    page.locator("#triggers button").nth(2).click()
    for panel in PANELS:
        if panel != "verdict":
            _keep(page.locator(f"#{panel}").screenshot(), f"{panel}.png")


def _troubles(browser: Browser, stand: StandIn) -> None:
    """Stale, a drill, refused and on its way, in one picture each."""
    stand.told = health(stale="the engine has said nothing for 40 s")
    page = _opened(browser, stand, "dark", {"width": 1440, "height": 420})
    page.get_by_role("alert").wait_for()
    _keep(page.screenshot(), "stale.png")
    page.context.close()
    stand.reset()
    stand.told = health(mode="drill", replay=None)
    page = _opened(browser, stand, "dark", DESK)
    _keep(page.locator("#drilling").screenshot(), "drilling.png")
    page.context.close()
    stand.reset()
    stand.refuse = {
        "brief": (503, "the first edition is being made"),
        "fuel": (404, "this edition has no fuel: its brief says what is missing"),
    }
    page = _opened(browser, stand, "dark", {"width": 1440, "height": 620})
    _keep(page.screenshot(), "waiting.png")
    page.context.close()


def _keep(shot: bytes, name: str) -> None:
    """Few colours do: a third of the size, and nothing that an eye would miss."""
    image = (
        Image.open(io.BytesIO(shot))
        .convert("RGB")
        .quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)
    )
    image.save(OUT / name, optimize=True)
    sys.stderr.write(json.dumps({"picture": name, "size": image.size}) + "\n")


if __name__ == "__main__":
    sys.exit(main())

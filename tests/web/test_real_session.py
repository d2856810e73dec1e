"""The page on real history: ETH in the squeeze of July 2025, from the recorded data through the pipeline."""

from pathlib import Path

import pytest
from browsing import PANELS, check_text, opened

from airpocket.delivery.answers import assessed
from airpocket.delivery.serve.documents import edition_of
from airpocket.delivery.serve.heat_frame import pack
from airpocket.domain.units import DAY_NS, TimeNs, parse_time
from airpocket.ingest.history.load import read_history
from airpocket.ingest.lake import Lake

MAPPINGS = Path(__file__).parent.parent / "real" / "mappings"


@pytest.mark.real
@pytest.mark.slow
def test_every_panel_shows_a_day_of_july_2025(browser, stand, shared, tmp_path):
    lake = Lake(tmp_path / "store")
    lake.write(
        read_history([MAPPINGS], shared / "data", now=parse_time("2026-11-20T00:00Z")).tables
    )
    found = assessed("ETH", tmp_path / "store", "2025-07-16T12:00Z")
    edition = edition_of(found, TimeNs(found.market.now - DAY_NS), found.map)
    stand.instead = {
        name: body for name, body in edition.documents.items() if not name.startswith("bars/")
    }
    stand.instead["bars"] = edition.documents["bars/1h"]
    if edition.grid is not None:
        stand.instead["map/heat"] = pack(edition.grid, "snapshot", "e1", 1)
    stand.told |= {"simulated": False, "label": ""}
    with opened(browser, stand) as page:
        page.page.wait_for_selector("#verdict .machine")
        assert page.page.locator(".badge.simulated").count() == 0
        for panel in PANELS:
            check_text(page.page, panel)
        assert "2025" in page.page.locator(".asof").inner_text()
        assert page.complaints == []
        page.page.screenshot(path=tmp_path / "july.png", full_page=True)

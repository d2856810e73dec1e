"""Records the session anew from the demo: the edition of a moment, a what-if, and answers about a position."""

import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from stand_in import SESSION

from airpocket.brief import hedge_json, plan_json, stress_json, whatif_json
from airpocket.cascade.deals import PathSettings, Push
from airpocket.cascade.paths import Course
from airpocket.delivery.answers import assessed, plans_of, stress_tests_of
from airpocket.delivery.demonstration import ASSET, demo_store
from airpocket.delivery.hedging import Sources, hedges_of
from airpocket.delivery.serve.columns import bars_of
from airpocket.delivery.serve.documents import edition_of
from airpocket.delivery.serve.heat_frame import pack
from airpocket.delivery.whatif import what_if_on
from airpocket.domain.units import DAY_NS, TimeNs
from airpocket.pipeline import Assessment

MOMENT = "2026-01-15T12:05:00Z"
DOCUMENTS = (
    "brief",
    "fuel",
    "funding",
    *(f"bars/{each}" for each in ("5m", "15m", "1h", "4h", "1d")),
)
# what the page asks when its form is sent as it stands; the entry is 0.96 of the last price
HELD = """portfolio_usd = 2_000_000
[[position]]
venue = "binance_usdm"
symbol = "ETHUSDT"
side = "short"
size_coin = 500
entry_price = 3_462
opened_at = "2026-01-14T12:05:00Z"
margin_mode = "isolated"
leverage_x = 8
"""


def main() -> int:
    """Every file of the session but the two of drills; about a minute."""
    with tempfile.TemporaryDirectory() as folder:
        store, file = Path(folder, "store"), Path(folder, "held.toml")
        file.write_text(HELD, encoding="utf-8")
        demo_store(store)
        found = assessed(ASSET, store, MOMENT)
        _market(found, store)
        _keep("plan.json", plan_json.render(plans_of(file, store, asof=MOMENT)))
        _keep("stress.json", stress_json.render(stress_tests_of(file, store, asof=MOMENT)))
        sheets = hedges_of(file, Sources(store, asof=MOMENT))
        _keep("hedge.json", hedge_json.render(sheets))
    return 0


def _market(found: Assessment, store: Path) -> None:
    edition = edition_of(found, TimeNs(found.market.now - DAY_NS), found.map)
    for name in DOCUMENTS:
        _keep(f"{name.replace('/', '-')}.json", edition.documents[name])
    # of minutes the page asks for the newest only
    _keep("bars-1m.json", msgspec.json.encode(bars_of(found.market, "1m", limit=300)))
    assert edition.grid is not None
    _keep("heat.bin", pack(edition.grid, "snapshot", "e1", 1))
    how = PathSettings(course=Course(steps=900, push_s=60.0, marks=60))
    whatif, simulated = what_if_on(found, store, Push(usd=50e6), how)
    _keep("whatif.json", whatif_json.render(found.market.asset, whatif, simulated=simulated))


def _keep(name: str, body: bytes) -> None:
    """JSON without its spaces."""
    if name.endswith(".json"):
        told: Any = json.loads(body)
        body = json.dumps(told, separators=(",", ":")).encode()
    (SESSION / f"{name}.gz").write_bytes(gzip.compress(body, 9, mtime=0))
    sys.stderr.write(f"{name}: {len(body):,} bytes\n")


if __name__ == "__main__":
    sys.exit(main())

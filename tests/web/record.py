"""Records anew what the server says of the position in the page's form, from the demo: plan, stress, hedges."""

import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from stand_in import SESSION

from airpocket.brief import plan_json, stress_json
from airpocket.delivery.answers import plans_of, stress_tests_of
from airpocket.delivery.demonstration import demo_store
from airpocket.delivery.hedging import Sources, hedges_of

MOMENT = "2026-01-15T12:05:00Z"
# what the page asks when its form is sent as it stands
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
    """Three files of the session; half a minute."""
    with tempfile.TemporaryDirectory() as folder:
        store, file = Path(folder, "store"), Path(folder, "held.toml")
        file.write_text(HELD, encoding="utf-8")
        demo_store(store)
        _keep("plan", json.loads(plan_json.render(plans_of(file, store, asof=MOMENT))))
        _keep("stress", json.loads(stress_json.render(stress_tests_of(file, store, asof=MOMENT))))
        sheets = hedges_of(file, Sources(store, asof=MOMENT))
        _keep("hedge", json.loads(plan_json.render_all("hedges", sheets)))
    return 0


def _keep(name: str, told: Any) -> None:
    text = json.dumps(told, separators=(",", ":")).encode()
    (SESSION / f"{name}.json.gz").write_bytes(gzip.compress(text, 9, mtime=0))
    sys.stderr.write(f"{name}: {len(text):,} bytes\n")


if __name__ == "__main__":
    sys.exit(main())

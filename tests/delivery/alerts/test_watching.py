"""What a watch looks at: positions that share a margin with another coin are valued with it."""

import samples

from airpocket.delivery.alerts import watching
from airpocket.domain.units import DAY_NS, TimeNs
from airpocket.pipeline import Assessor

DAYS = 60
NOW = TimeNs(samples.START + DAYS * DAY_NS)
FILE = """
[[position]]
venue = "binance_usdm"
symbol = "ETHUSDT"
side = "short"
size_coin = 10
entry_price = 3000
opened_at = "2025-02-01T00:00Z"
margin_mode = "cross"

[[position]]
venue = "binance_usdm"
symbol = "BTCUSDT"
side = "long"
size_coin = 1
entry_price = 3000
opened_at = "2025-02-01T00:00Z"
margin_mode = "cross"

[[balance]]
venue = "binance_usdm"
currency = "USDT"
amount = 50_000
"""


class Made:
    """A store that knows the hours of one coin."""

    def __init__(self, lake, asset):
        self.asset = asset

    def at(self, now):
        assessor = Assessor(self.asset)
        assessor.apply(samples.bars(DAYS * 24, symbol=f"{self.asset}USDT"))
        return assessor


def test_another_coin_on_the_same_margin_is_looked_at_too(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(watching, "Ground", Made)
    monkeypatch.setattr(watching, "newest", lambda _lake, _asset: NOW)
    file = tmp_path / "mine.toml"
    file.write_text(FILE)
    seen = watching.Looker(tmp_path, "ETH", file).look(NOW)
    assert seen.failure == ""
    [plan] = seen.plans
    assert any("whole account (2 perpetuals)" in note for note in plan.margin.notes)
    equity = next(tell.estimate.value for tell in plan.margin.tells if tell.id == "equity")
    price = plan.mark.value
    assert (
        abs(equity - (50_000 + 10 * (3_000 - price) + (price - 3_000))) < 1.0
    )  # both coins at one price

"""Questions to Deribit that ccxt has no words for: trades with who was liquidated, and the volatility index."""

from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlencode

from airpocket.domain.units import format_interval
from airpocket.ingest.backfill.convert import Market

ASKED_DIRECTLY = ("trade", "liquidation", "vol_index")
# bar length → what the venue calls it (docs.deribit.com, get_volatility_index_data)
RESOLUTIONS = MappingProxyType({"1s": "1", "1m": "60", "1h": "3600", "12h": "43200", "1d": "1D"})


class Question(NamedTuple):
    """An address, and where in `result` the rows are."""

    url: str
    rows: str


def deribit_question(
    market: Market, family: str, span_ms: tuple[int, int], page: int, step_ns: int
) -> Question:
    """What to ask for rows of `family` in [first, last] ms, oldest trades first.

    Old trades live on a host of their own, which has the recent ones too.
    """
    span = {"start_timestamp": span_ms[0], "end_timestamp": span_ms[1]}
    if family == "vol_index":
        asked = {
            "currency": market.unified,
            **span,
            "resolution": RESOLUTIONS[format_interval(step_ns)],
        }
        path = "www.deribit.com/api/v2/public/get_volatility_index_data"
        return Question(f"https://{path}?{urlencode(asked)}", "data")
    asked = {
        "instrument_name": market.symbol, **span, "count": page, "include_old": "true", "sorting": "asc",
    }  # fmt: skip
    path = "history.deribit.com/api/v2/public/get_last_trades_by_instrument_and_time"
    return Question(f"https://{path}?{urlencode(asked)}", "trades")

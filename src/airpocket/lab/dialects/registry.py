"""Every dialect by the venue it speaks for."""

from collections.abc import Callable, Sequence

from airpocket.lab.dialects.binance import Binance
from airpocket.lab.dialects.bybit import Bybit
from airpocket.lab.dialects.coinbase import Coinbase
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.dialects.deribit import Deribit
from airpocket.lab.dialects.hyperliquid import Hyperliquid
from airpocket.lab.dialects.okx import Okx
from airpocket.lab.dialects.speech import Dialect

_DIALECTS: dict[str, Callable[[str, Sequence[Contract]], Dialect]] = {
    "binance_spot": Binance,
    "binance_usdm": Binance,
    "binance_coinm": Binance,
    "bybit_linear": Bybit,
    "bybit_inverse": Bybit,
    "bybit_spot": Bybit,
    "okx": Okx,
    "deribit": Deribit,
    "hyperliquid": Hyperliquid,
    "coinbase": Coinbase,
}


def dialects_of(contracts: Sequence[Contract]) -> dict[str, Dialect]:
    """A dialect for each venue, with its contracts."""
    venues = dict.fromkeys(contract.venue for contract in contracts)
    return {
        venue: _DIALECTS[venue](venue, [c for c in contracts if c.venue == venue]) for venue in venues
    }  # fmt: skip

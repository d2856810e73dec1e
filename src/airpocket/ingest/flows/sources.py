"""Where slow drivers are told: each source's questions, whose they are, their terms, whether they need a key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlencode

from airpocket.domain.errors import BadInput
from airpocket.domain.flows import STABLES
from airpocket.domain.units import DAY_NS, HOUR_NS, SECOND_NS, day_of
from airpocket.ingest.entries import read_entries
from airpocket.ingest.feed import Poll
from airpocket.ingest.flows.chain import (
    METRICS,
    exchange_flows,
    exchange_reserves,
    stablecoin_supply,
)
from airpocket.ingest.flows.funds import coinglass_funds, fund_page
from airpocket.ingest.flows.others import large_transfers, volatility_index
from airpocket.ingest.flows.told import Told

Read: TypeAlias = Callable[[bytes, int], Told]  # an answer and the present, ns

_FUND_COINS: Mapping[str, str] = {"BTC": "bitcoin", "ETH": "ethereum"}
_YEARS_NS = 2 * 366 * DAY_NS
_LEAST_USD = 1_000_000
EXCHANGES = ("binance", "okx", "bybit", "bitfinex", "deribit")


@dataclass(frozen=True, slots=True)
class Question:
    """One question: what to ask, under which publisher its figures are filed, how to read the answer."""

    about: str
    poll: Poll
    venue: str
    read: Read


@dataclass(frozen=True, slots=True)
class Asking:
    """What the questions are made for: coins, the present (ns), the key, and exchanges where they are asked for."""

    coins: tuple[str, ...]
    now: int
    key: str = ""
    exchanges: tuple[str, ...] = EXCHANGES


@dataclass(frozen=True, slots=True)
class FlowSource:
    """One source. key_env: the environment variable that holds its key, '' where none is needed.

    usual: asked without being named.
    """

    name: str
    about: str
    terms: str
    questions: Callable[[Asking], list[Question]]
    key_env: str = ""
    usual: bool = True


def _poll(venue: str, url: str, headers: tuple[tuple[str, str], ...] = ()) -> Poll:
    return Poll(venue=venue, url=url, channels=(), every_s=6 * HOUR_NS / SECOND_NS, headers=headers)


def _supplies(asking: Asking) -> list[Question]:
    wanted = (("USDT", "usdt_supply", "?stablecoin=1"), ("USDC", "usdc_supply", "?stablecoin=2"),
              (STABLES, "stablecoin_supply", ""))  # fmt: skip
    base = "https://stablecoins.llama.fi/stablecoincharts/all"
    return [
        Question(series, _poll("defillama", base + query), "defillama",
                 lambda body, now, symbol=symbol, series=series: stablecoin_supply(body, symbol, series, now))
        for symbol, series, query in wanted
    ]  # fmt: skip


def _reserves(asking: Asking) -> list[Question]:
    return [
        Question(f"reserves of {one}", _poll("defillama", f"https://api.llama.fi/protocol/{one}-cex"), "defillama",
                 lambda body, now, one=one: exchange_reserves(body, one, asking.coins, now))
        for one in asking.exchanges
    ]  # fmt: skip


def _metrics(asking: Asking) -> list[Question]:
    base = "https://community-api.coinmetrics.io/v4/timeseries/asset-metrics"
    return [
        Question(f"exchange flows of {coin}", _poll("coinmetrics", base + "?" + urlencode({
            "assets": coin.lower(), "metrics": ",".join(METRICS), "frequency": "1d", "page_size": 10_000,
            "start_time": day_of(asking.now - _YEARS_NS)})), "coinmetrics", exchange_flows)
        for coin in asking.coins if coin in _FUND_COINS
    ]  # fmt: skip


def _farside(asking: Asking) -> list[Question]:
    pages = {"BTC": "bitcoin-etf-flow-all-data", "ETH": "ethereum-etf-flow-all-data"}
    return [
        Question(f"funds of {coin}", _poll("farside", f"https://farside.co.uk/{pages[coin]}/"), "farside",
                 lambda body, now, coin=coin: fund_page(body, coin, now))
        for coin in asking.coins if coin in pages
    ]  # fmt: skip


def _coinglass(asking: Asking) -> list[Question]:
    base = "https://open-api-v4.coinglass.com/api/etf"
    headers = (("CG-API-KEY", asking.key),)
    return [
        Question(f"funds of {coin}", _poll("coinglass", f"{base}/{_FUND_COINS[coin]}/flow-history", headers),
                 "coinglass", lambda body, now, coin=coin: coinglass_funds(body, coin, now))
        for coin in asking.coins if coin in _FUND_COINS
    ]  # fmt: skip


def _deribit(asking: Asking) -> list[Question]:
    base = "https://www.deribit.com/api/v2/public/get_volatility_index_data"
    first = (asking.now - _YEARS_NS) // 1_000_000
    return [
        Question(f"DVOL of {coin}", _poll("deribit", base + "?" + urlencode({
            "currency": coin, "start_timestamp": first, "end_timestamp": asking.now // 1_000_000,
            "resolution": "1D"})), "deribit",
            lambda body, now, coin=coin: volatility_index(body, coin, now))
        for coin in asking.coins if coin in _FUND_COINS
    ]  # fmt: skip


def _whales(asking: Asking) -> list[Question]:
    start = (asking.now - HOUR_NS) // SECOND_NS + 60  # an hour is what a free key may look back
    url = "https://api.whale-alert.io/v1/transactions?" + urlencode(
        {"min_value": _LEAST_USD, "start": start}
    )
    headers = (("X-WA-API-KEY", asking.key),)
    poll = _poll("whale_alert", url, headers)
    return [Question("large transfers", poll, "whale_alert", lambda body, _: large_transfers(body))]


SOURCES: Mapping[str, FlowSource] = {
    one.name: one
    for one in (
        FlowSource("stablecoins", "USDT, USDC and all dollar stablecoins outstanding, tokens a day (DefiLlama)",
                   "no key", _supplies),
        FlowSource("exchanges", "coin and stablecoins that exchanges hold, units a day (DefiLlama; 42 MB each)",
                   "no key", _reserves),
        FlowSource("dvol", "implied volatility index, a bar a day (Deribit)", "no key", _deribit),
        FlowSource("farside", "US spot funds by fund; often closed to programs: 'flows add' takes its table as CSV",
                   "no key", _farside),
        FlowSource("coinmetrics", "coin sent to and taken from exchanges (Coin Metrics community)",
                   "no key; CC BY-NC 4.0: not for commercial use", _metrics, usual=False),
        FlowSource("coinglass", "US spot funds by fund (CoinGlass)", "key", _coinglass,
                   key_env="AIRPOCKET_COINGLASS_KEY"),
        FlowSource("whale_alert", "single transfers above a million dollars (Whale Alert)", "key", _whales,
                   key_env="AIRPOCKET_WHALE_ALERT_KEY"),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """A source to ask, the environment variable of its key, and exchanges."""

    source: FlowSource
    key_env: str
    exchanges: tuple[str, ...] = EXCHANGES


def chosen(names: Sequence[str]) -> list[Chosen]:
    """Sources by name; without names the usual ones.

    Raises:
        BadInput: no such source.
    """
    wanted = list(names) or [one.name for one in SOURCES.values() if one.usual]
    unknown = [name for name in wanted if name not in SOURCES]
    if unknown:
        raise BadInput(f"no source '{unknown[0]}'; there are {', '.join(SOURCES)}")
    return [Chosen(SOURCES[name], SOURCES[name].key_env) for name in wanted]


def read_choice(path: Path) -> list[Chosen]:
    """[[source]] entries of a TOML file: name, and optionally key_env and exchanges. A file holds no key.

    Raises:
        BadInput: unreadable, or an entry is wrong; names file, entry and field.
    """
    top = read_entries(path)
    found: list[Chosen] = []
    for entry in top.entries("source"):
        source = SOURCES[entry.choice("name", tuple(SOURCES))]
        key_env = entry.maybe_text("key_env") or source.key_env
        exchanges = EXCHANGES
        if entry.get("exchanges") is not None:
            exchanges = tuple(each.strip() for each in entry.text("exchanges").split(","))
            if not all(each.isalnum() for each in exchanges):
                entry.fail('must be names such as "binance, okx"', "exchanges")
        entry.done()
        found.append(Chosen(source, key_env, exchanges))
    top.done()
    return found

"""Every kind of market fact, as columns with units and checks: the schema that store, import and replay share."""

import re

from airpocket.domain.columns import Check, Column, Dtype, Kind, Span
from airpocket.domain.columns import amount as _amount
from airpocket.domain.columns import price as _price
from airpocket.domain.slow_kinds import SLOW_KINDS
from airpocket.domain.units import MINUTE_NS, parse_interval

__all__ = [
    "KINDS",
    "Check",
    "Column",
    "Dtype",
    "Kind",
    "Span",
    "span_of",
    "split_name",
    "stored_name",
]

_OHLC = (_price("open"), _price("high"), _price("low"), _price("close"))

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "bar",
            "trade bars of a perpetual or spot market; ts is the bar's open",
            (*_OHLC, _amount("volume"), _amount("volume_usd", "USD"), _amount("taker_buy")),
            has_interval=True,
        ),
        Kind("mark_bar", "mark-price bars", _OHLC, has_interval=True),
        Kind("index_bar", "index-price bars", _OHLC, has_interval=True),
        Kind(
            "premium_bar",
            "premium-index bars (fraction of index)",
            tuple(
                Column(n, "f64", "fraction", "fraction") for n in ("open", "high", "low", "close")
            ),
            has_interval=True,
        ),
        Kind(
            "trade",
            "single trades; taker_side is who crossed the spread",
            (
                _price("price"),
                _amount("size", nullable=False),
                Column("taker_side", "str", choices=("buy", "sell")),
                Column("trade_id", "i64"),
            ),
            key=("ts", "trade_id"),
            span="day",
        ),
        Kind(
            "funding",
            "settled funding; positive: longs pay shorts",
            (
                Column("rate", "f64", "fraction per interval", "fraction"),
                Column("interval_s", "i64", "s", "positive"),
            ),
        ),
        Kind(
            "funding_estimate",
            "the running estimate of the next funding, not a settlement",
            (
                Column("rate", "f64", "fraction per interval", "fraction"),
                Column("interval_s", "i64", "s", "positive"),
            ),
        ),
        Kind(
            "funding_bound",
            "between which rates a venue keeps the funding estimate from ts on; at a bound it says no more",
            (
                Column("cap", "f64", "fraction per interval", "fraction", nullable=True),
                Column("floor", "f64", "fraction per interval", "fraction", nullable=True),
            ),
        ),
        Kind(
            "open_interest",
            "open interest, one-sided; averaged_s > 0: mean over [ts, ts + averaged_s)",
            (
                _amount("amount", "see unit", nullable=False),
                Column("unit", "str", choices=("coin", "usd", "contracts")),
                Column("averaged_s", "i64", "s", "nonnegative"),
            ),
        ),
        Kind(
            "ticker",
            "last, mark and index price at one moment",
            (
                _price("last", nullable=True),
                _price("mark", nullable=True),
                _price("index", nullable=True),
            ),
        ),
        Kind(
            "ratio",
            "long/short and taker ratios as the venue publishes them",
            (Column("name", "str"), Column("value", "f64", "ratio", "nonnegative")),
            key=("ts", "name"),
        ),
        Kind(
            "depth",
            "resting orders within a band of the mid; percent < 0: bids, > 0: asks",
            (
                Column("percent", "f64", "% from mid", "percent"),
                _amount("depth_coin"),
                _amount("notional_usd", "USD", nullable=False),
            ),
            key=("ts", "percent"),
            span="day",
        ),
        Kind(
            "book",
            "order-book snapshots, one row per level",
            (
                Column("book_side", "str", choices=("bid", "ask")),
                _price("price"),
                Column("size", "f64", "coin", "positive"),
            ),
            key=("ts", "book_side", "price"),
            span="day",
        ),
        Kind(
            "liquidation",
            "forced closes; forced_side buy: a short was closed; coverage sample: a lower bound",
            (
                Column("forced_side", "str", choices=("buy", "sell", "unknown")),
                _price("price"),
                _amount("size", nullable=True),
                _amount("notional_usd", "USD"),
                Column("coverage", "str", choices=("all", "sample", "unknown")),
                Column("seq", "i64"),
            ),
            key=("ts", "seq"),
            span="day",
        ),
        Kind(
            "off_book",
            "transfers away from the book, never among `liquidation`: takeovers and auto-deleveraging are forced",
            (
                Column("cause", "str", choices=("insurance", "deleveraging", "other")),
                Column("reason", "str"),
                # of whoever was made to trade: a winner who was cut
                Column("forced_side", "str", nullable=True, choices=("buy", "sell")),
                _price("price", nullable=True),
                _amount("size"),
                _amount("notional_usd", "USD"),
                Column("coverage", "str", choices=("all", "sample", "unknown")),
                Column("seq", "i64"),
            ),
            key=("ts", "seq"),
            span="day",
        ),
        Kind(
            "listing",
            "what the venue said of the contract from ts on, until its next row",
            (
                Column("version", "i64", "", "positive"),
                Column("contract_kind", "str", choices=("spot", "linear", "inverse", "option")),
                Column(
                    "status", "str", choices=("live", "halted", "settling", "delisted", "unknown")
                ),
                Column("reason", "str", nullable=True),
                Column("contract_size", "f64", "see size_unit", "positive", nullable=True),
                Column("size_unit", "str", choices=("coin", "usd")),
                Column("tick_size", "f64", "quote per coin", "positive", nullable=True),
                Column("lot_size", "f64", "units of size", "positive", nullable=True),
                Column("funding_interval_s", "i64", "s", "positive", nullable=True),
                Column("listed_at_s", "i64", "s since 1970", "positive", nullable=True),
            ),
        ),
        Kind(
            "tape",
            "what one market's tape and touch did in an interval, as heard live; ts is its start",
            (
                Column("prints", "i64", "trades", "nonnegative"),
                _amount("buy_usd", "USD"),
                _amount("sell_usd", "USD"),
                _amount("spread_bps", "bp of mid"),
                Column("reloads", "i64", "times", "nonnegative", nullable=True),
                Column("retreats", "i64", "times", "nonnegative", nullable=True),
                _amount("refill_s", "s"),
            ),
            has_interval=True,
        ),
        Kind(
            "lead_lag",
            "how this market's trades moved with another's at one lag; lag_ms > 0: this market first",
            (
                Column("against", "str"),
                Column("lag_ms", "f64", "ms"),
                Column("covariance", "f64", "squared log return"),
                _amount("variance", "squared log return", nullable=False),
                _amount("variance_against", "squared log return", nullable=False),
                Column("moves", "i64", "price changes", "nonnegative"),
                Column("moves_against", "i64", "price changes", "nonnegative"),
            ),
            key=("ts", "against", "lag_ms"),
            has_interval=True,
        ),
        Kind(
            "channel_state",
            "how a live channel was from ts on, until its next row",
            (
                Column("channel", "str"),
                Column("state", "str"),
                Column("reason", "str", nullable=True),
            ),
            key=("ts", "channel"),
            span="month",
        ),
        Kind(
            "liquidation_total",
            "liquidated notional over an interval, by side of the closed position",
            (
                _amount("long_usd", "USD"),
                _amount("short_usd", "USD"),
                _amount("total_usd", "USD"),
                Column("count", "i64", "", "nonnegative", nullable=True),
            ),
            has_interval=True,
        ),
        *SLOW_KINDS,
        Kind(
            "option_quote",
            "one option of a chain snapshot; prices in coin (dollars over underlying_price, else over index_price)",
            (
                Column("instrument", "str"),
                Column("expiry", "time"),
                _price("strike"),
                Column("option_type", "str", choices=("call", "put")),
                Column("underlying_index", "str", nullable=True),
                _price("underlying_price", nullable=True),
                _amount("bid", "coin"),
                _amount("ask", "coin"),
                _amount("mark", "coin"),
                _amount("mark_iv", "fraction a year"),
                Column("delta", "f64", "coin per coin", nullable=True),
                Column("vega", "f64", "USD per vol point", nullable=True),
                _amount("open_interest", "coin"),
                _amount("volume", "coin"),
                _price("index_price", nullable=True),
                Column("bid_size", "f64", "coin", "nonnegative", nullable=True, optional=True),
                Column("ask_size", "f64", "coin", "nonnegative", nullable=True, optional=True),
            ),
            key=("ts", "instrument"),
            span="day",
        ),
        Kind(
            "forward",
            "forward price of one expiry of an option or futures market",
            (Column("expiry", "time"), Column("name", "str"), _price("price")),
            key=("ts", "expiry"),
        ),
        Kind(
            "chain_health",
            "how complete a chain snapshot was",
            (
                Column("instruments", "i64", "", "nonnegative"),
                Column("two_sided", "i64", "", "nonnegative"),
                Column("expiries", "i64", "", "nonnegative"),
                _price("index_first"),
                _price("index_last"),
                _amount("call_open_interest"),
                _amount("put_open_interest"),
            ),
        ),
        Kind(
            "tier",
            "maintenance-margin tiers as of ts; maintenance = notional × mmr − deduction",
            (
                Column("tier", "i64", "", "positive"),
                Column("currency", "str"),
                _amount("notional_floor", "currency", nullable=False),
                _amount("notional_cap", "currency", nullable=False),
                Column("mmr", "f64", "fraction", "nonnegative"),
                Column("max_leverage", "f64", "x", "positive"),
                _amount("deduction", "currency", nullable=False),
            ),
            key=("ts", "tier"),
        ),
        Kind(
            "account",
            "public accounts as told: one row a position; contract '' for an account that holds nothing",
            (
                Column("account", "str"),
                Column("contract", "str"),
                Column("size_coin", "f64", "coin; a short is negative"),
                _price("mark", nullable=True),
                Column("backing", "str", choices=("cross", "isolated", "none")),
                Column("cash_usd", "f64", "USD; equity = cash + Σ size × price"),
                _price("entry_price", nullable=True),
                Column("leverage_x", "f64", "x", "positive", nullable=True),
                Column("max_leverage_x", "f64", "x", "positive", nullable=True),
                _price("liquidation_price", nullable=True),
            ),
            key=("ts", "account", "contract"),
            span="day",
        ),
        Kind(
            "account_seen",
            "addresses of public accounts, and where they were met",
            (
                Column("account", "str"),
                Column("origin", "str", choices=("trade", "vault", "leaderboard", "file")),
            ),
            key=("ts", "account"),
        ),
        Kind(
            "loan",
            "loans of lending protocols in one asset against the rest; the symbol is the asset",
            (
                Column("protocol", "str"),
                Column("account", "str"),
                _amount("collateral_coin", nullable=False),
                _amount("debt_coin", nullable=False),
                Column("threshold", "f64", "fraction of the collateral's value", "fraction"),
                _amount("other_collateral_usd", "USD, times its thresholds", nullable=False),
                _amount("other_debt_usd", "USD", nullable=False),
                Column("close_share", "f64", "fraction of the collateral", "fraction"),
            ),
            key=("ts", "protocol", "account"),
            span="day",
        ),
        Kind(
            "label",
            "moves found with hindsight, for scoring only: never an input of the brief",
            (
                Column("name", "str"),
                Column("direction", "str", choices=("up", "down")),
                Column("peak", "time"),
                _price("start_price"),
                _price("peak_price"),
                Column("move_percent", "f64", "%"),
                Column("sigma_multiple", "f64", "", "positive"),
            ),
            key=("ts", "name"),
        ),
    )
}

_STORED_NAME = re.compile(r"(?P<family>[a-z_]+?)(?:_(?P<interval>[1-9]\d*[smhdw]))?")


def stored_name(family: str, interval: str | None = None) -> str:
    """'bar', '1h' → 'bar_1h': the name of a kind in the store.

    Raises:
        ValueError: no such kind, an interval missing or one too many.
    """
    kind = KINDS.get(family)
    if kind is None:
        raise ValueError(f"unknown kind '{family}'; known: {', '.join(KINDS)}")
    if kind.has_interval != (interval is not None):
        need = "needs an interval such as 1h" if kind.has_interval else "has no interval"
        raise ValueError(f"kind '{family}' {need}")
    if interval is None:
        return family
    parse_interval(interval)
    return f"{family}_{interval}"


def split_name(stored: str) -> tuple[Kind, int]:
    """'bar_1h' → (bar, 3600e9 ns); 'funding' → (funding, 0).

    Raises:
        ValueError: not a name that `stored_name` gives.
    """
    match = _STORED_NAME.fullmatch(stored)
    kind = KINDS.get(match["family"]) if match else None
    if match is None or kind is None or kind.has_interval != (match["interval"] is not None):
        raise ValueError(f"'{stored}' is no kind of the store")
    return kind, parse_interval(match["interval"]) if match["interval"] else 0


def span_of(stored: str) -> Span:
    """How much one file of this kind holds: a day of dense facts, a month of slow ones."""
    kind, interval_ns = split_name(stored)
    if kind.has_interval:
        return "day" if interval_ns < 5 * MINUTE_NS else "month"
    return kind.span

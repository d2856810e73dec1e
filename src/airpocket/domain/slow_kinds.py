"""The kinds of slow facts: flows in every vintage, large transfers, scheduled events, volatility indices."""

from airpocket.domain.columns import Column, Kind, amount

PARTIES = ("exchange", "wallet", "l2", "custody", "issuer", "unknown")

SLOW_KINDS: tuple[Kind, ...] = (
    Kind(
        "flow",
        "slow drivers, every vintage a row: ts is what the figure is about, usable_from when it was first told so",
        (
            Column("series", "str"),
            Column("value", "f64", "see unit"),
            Column("unit", "str"),
            # what the publisher says of when it published, where it does
            Column("published", "time", nullable=True, optional=True),
        ),
        key=("ts", "series", "usable_from"),
    ),
    Kind(
        "transfer",
        "single large transfers on a chain; the symbol is the coin or token",
        (
            Column("tx", "str"),
            amount("size", "coin or tokens", nullable=False),
            amount("notional_usd", "USD"),
            Column("origin", "str", choices=PARTIES),
            Column("target", "str", choices=PARTIES),
        ),
        key=("ts", "tx"),
    ),
    Kind(
        "catalyst",
        "scheduled events; ts is from when each was public, due when it happens",
        (
            Column("name", "str"),
            Column("due", "time"),
            Column(
                "event_kind", "str", choices=("macro", "regulatory", "network", "expiry", "other")
            ),
            Column("confidence", "str", choices=("certain", "likely", "rumoured")),
        ),
        key=("ts", "name", "due"),
    ),
    Kind(
        "vol_index",
        "implied-volatility index, per cent a year; ts is the bar's open",
        (
            Column("open", "f64", "% a year", "positive", nullable=True),
            Column("high", "f64", "% a year", "positive", nullable=True),
            Column("low", "f64", "% a year", "positive", nullable=True),
            Column("close", "f64", "% a year", "positive"),
        ),
        has_interval=True,
    ),
)

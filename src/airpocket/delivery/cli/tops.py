"""`airpocket tops`: the best prices of a recorded book, change by change."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    import polars as pl


def tops(
    venue: str,
    symbol: str,
    *,
    out: Path | None = None,
    store: Path = Path("store"),
    log: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Rebuild one book from a recorded log, and tell its best bid and ask after every change.

    A change that does not follow leaves the book untrusted: its prices are empty from there until a
    snapshot mends it. Times are UTC, sizes in coin.

    Args:
        venue: Whose book, such as binance_usdm.
        symbol: Which, as the venue writes it: ETHUSDT.
        out: Parquet file to write, one row a change; without it only the summary is printed.
        store: Folder of the store whose log is read.
        log: Folder of a log elsewhere.
        as_json: Print the summary as JSON.
    """
    from airpocket.delivery.cli.printing import print_json, say
    from airpocket.delivery.files import write_whole
    from airpocket.delivery.warmup import compiling
    from airpocket.live.session import RAW
    from airpocket.live.tops import tops_of_log

    with compiling():
        found = tops_of_log(log if log is not None else store / RAW, venue, symbol)
    if out is not None:
        write_whole(out, lambda part: found.table.write_parquet(part, compression="zstd"))
    summary: dict[str, object] = {
        "venue": venue, "symbol": symbol, "changes": found.table.height, "gaps": found.book.gaps,
        "state": found.book.state, "reason": found.book.reason, "refused": found.refused,
        **_of_table(found.table), "damages": len(found.damages), "out": str(out) if out else None,
        "simulated": found.simulated or None,
    }  # fmt: skip
    if as_json:
        print_json(summary)
        return 3 if found.damages else 0
    for name, value in summary.items():
        if value not in (None, ""):
            say(
                f"{name:>18}  {value:,}"
                if isinstance(value, int | float)
                else f"{name:>18}  {value}"
            )
    return 3 if found.damages else 0


def _of_table(table: "pl.DataFrame") -> dict[str, object]:
    """First and last moment, share of changes with a trusted book, median spread in bp of the mid."""
    from airpocket.domain.units import format_time

    if not table.height:
        return {}
    sound = table.drop_nulls("bid")
    spread = 2e4 * (sound["ask"] - sound["bid"]) / (sound["ask"] + sound["bid"])
    middle = spread.median()
    assert middle is None or isinstance(middle, float)
    return {
        "first": format_time(int(table["heard"].dt.timestamp("ns")[0])),
        "last": format_time(int(table["heard"].dt.timestamp("ns")[-1])),
        "trusted_percent": round(100.0 * sound.height / table.height, 2),
        "spread_median_bps": None if middle is None else round(middle, 3),
    }

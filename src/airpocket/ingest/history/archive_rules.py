"""The keys of a mapping that describe files of a public archive: one list of keys per format."""

from collections.abc import Mapping
from types import MappingProxyType

from airpocket.domain.units import DAY_NS
from airpocket.ingest.history.rules import ArchiveRule
from airpocket.ingest.history.section import Section

MARKETS = MappingProxyType({"spot": "binance_spot", "um": "binance_usdm", "cm": "binance_coinm"})
BYBIT_MARKETS = MappingProxyType(
    {"linear": "bybit_linear", "inverse": "bybit_inverse", "spot": "bybit_spot"}
)
_STEP = "1m"

# format → the keys it has beyond format and files
_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "binance_archive": ("market", "type", "interval", "symbol", "unit"),
        "bybit_archive": ("market", "symbol", "step"),
        "okx_archive": ("type", "interval", "symbol", "symbols", "step", "contract_sizes"),
        "hyperliquid_archive": ("type", "symbols", "step"),
        "tardis": ("type", "symbols", "contract_sizes"),
    }
)
FORMATS = ("table", *_KEYS)


def archive_rule(section: Section, files: tuple[str, ...], form: str) -> ArchiveRule:
    """One [[table]] with an archive's format.

    Raises:
        BadMapping: a key that this format does not have, or a value it cannot mean.
    """
    keys = _KEYS[form]

    def text(key: str) -> str:
        return section.text(key, "") if key in keys else ""

    rule = ArchiveRule(
        section.label, files, form,
        market=_market(section, form), type=text("type"), interval=text("interval"),
        symbol=text("symbol"), unit=_unit(section) if "unit" in keys else "",
        symbols=section.texts("symbols") if "symbols" in keys else (),
        step_ns=_step(section) if "step" in keys else 0,
        contract_sizes=_sizes(section) if "contract_sizes" in keys else {},
    )  # fmt: skip
    section.done()
    return rule


def _market(section: Section, form: str) -> str:
    known = {"binance_archive": MARKETS, "bybit_archive": BYBIT_MARKETS}.get(form)
    if known is None:
        return ""
    market = section.text("market", None if form == "binance_archive" else "")
    if market and market not in known:
        section.fail(f"{market!r} is no market; known: {', '.join(known)}", "market")
    return market


def _unit(section: Section) -> str:
    unit = section.text("unit", "")
    if unit not in ("", "ms", "us"):
        section.fail(f"{unit!r} is no unit of these files; known: ms, us", "unit")
    return unit


def _step(section: Section) -> int:
    step_ns = section.span_ns("step", _STEP)
    if step_ns > DAY_NS or DAY_NS % step_ns:
        section.fail("must divide a day: 10s, 1m, 1h", "step")
    return step_ns


def _sizes(section: Section) -> dict[str, float]:
    inner = section.table("contract_sizes")
    found: dict[str, float] = {}
    for symbol in inner.keys() if inner else ():
        assert inner is not None
        size = inner.get(symbol)
        if not isinstance(size, int | float) or isinstance(size, bool) or not 0 < size < 1e9:
            inner.fail(f"must be a positive number, not {size!r}", symbol)
        found[symbol] = float(size)
    return found

"""Mark prices as venues make them, with the rules' dates: medians of three, index and mean basis, an oracle's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from airpocket.domain.errors import MarginError
from airpocket.domain.units import EARLIEST, LATEST, TimeNs, parse_time
from airpocket.margin.rules import MarkRule

HYPERLIQUID_EMA_S = 150.0
DERIBIT_EMA_S = 30.0  # as traders quote the venue's pages; not read there
HYPERLIQUID_WEIGHTS = {"binance": 3, "okx": 2, "bybit": 2, "gate": 1, "mexc": 1}


@dataclass(frozen=True, slots=True)
class BasisWindow:
    """How a venue averages the basis: the last `samples` of one every `spacing_s`, in [valid_from, valid_to)."""

    samples: int
    spacing_s: float
    valid_from: TimeNs
    valid_to: TimeNs


# Binance's pages older than the one-minute window speak of 30 samples 5 s apart; the day that changed is not known.
_CHANGED = parse_time("2025-09-18T00:00Z")
# Bybit's page on perpetuals' mark price, of this date: each second of five minutes; since when is not said.
_BYBIT_PAGE = parse_time("2024-10-16T00:00Z")
BASIS_WINDOWS: dict[MarkRule, tuple[BasisWindow, ...]] = {
    "median_of_three": (
        BasisWindow(60, 1.0, EARLIEST, _CHANGED),
        BasisWindow(30, 1.0, _CHANGED, LATEST),
    ),
    "median_of_three_5m": (BasisWindow(300, 1.0, _BYBIT_PAGE, LATEST),),
}


def basis_window(rule: MarkRule, at: TimeNs) -> BasisWindow | None:
    """The window a venue with this rule averaged the basis over at a time; None where it is not known."""
    windows = BASIS_WINDOWS.get(rule, ())
    return next((one for one in windows if one.valid_from <= at < one.valid_to), None)


def basis_lag_s(rule: MarkRule, at: TimeNs) -> float | None:
    """Mean age of the basis in a mark, seconds: so late does it follow its own contract; None where not known.

    Infinite where the mark is made of the index and funding alone.
    """
    window = basis_window(rule, at)
    if window is not None:
        return window.samples * window.spacing_s / 2.0
    lags = {
        "oracle_median": HYPERLIQUID_EMA_S, "index_ema_basis": DERIBIT_EMA_S,
        "index_funding_basis": math.inf,
    }  # fmt: skip
    return lags.get(rule)


def funding_basis(last_funding: float, hours_left: float, interval_h: float) -> float:
    """Fraction of the index that the funding still due is worth: funding × time left / interval."""
    if not interval_h > 0.0:
        raise MarginError(f"funding interval must be positive, not {interval_h:g} hours")
    if not 0.0 <= hours_left <= interval_h:
        raise MarginError(
            f"hours to funding must lie between 0 and {interval_h:g}, not {hours_left:g}"
        )
    return last_funding * hours_left / interval_h


def price_one(index: float, last_funding: float, hours_left: float, interval_h: float) -> float:
    """Price 1 of Binance and Bybit, BitMEX's fair price: index (1 + last funding × time left / interval)."""
    return _price("index", index) * (1.0 + funding_basis(last_funding, hours_left, interval_h))


def price_two(index: float, basis: Sequence[float]) -> float:
    """Price 2 of Binance and Bybit, OKX's whole mark: index plus the mean basis (quote) over the window in force.

    The basis is the contract's middle of bid and ask less the index. OKX's pages (mark price of margined contracts,
    and of its launch in January 2019) leave open how long its average is.
    """
    if not basis:
        raise MarginError("price 2 needs at least one sample of the basis")
    return _price("index", index) + math.fsum(basis) / len(basis)


def median_mark(one: float, two: float, contract: float) -> float:
    """Median of price 1, price 2 and the contract's last price: Binance's mark, and Bybit's.

    Bybit's help page, mark price calculation (perpetual contract), of 2024-10-16: linear and inverse alike.
    """
    return median(
        (_price("price 1", one), _price("price 2", two), _price("contract price", contract))
    )


@dataclass(frozen=True, slots=True)
class Ema:
    """A time-decayed mean of samples: numerator and denominator both fade, so a gap weighs nothing."""

    time_constant_s: float
    numerator: float = 0.0
    denominator: float = 0.0

    def __post_init__(self) -> None:
        if not self.time_constant_s > 0.0:
            raise MarginError(f"time constant must be positive, not {self.time_constant_s:g} s")

    def add(self, sample: float, spacing_s: float) -> "Ema":
        """num ← num e^{−t/τ} + x t, den ← den e^{−t/τ} + t for a sample t seconds after the last."""
        if not spacing_s > 0.0:
            raise MarginError(f"sample spacing must be positive, not {spacing_s:g} s")
        fade = math.exp(-spacing_s / self.time_constant_s)
        return Ema(
            self.time_constant_s,
            self.numerator * fade + sample * spacing_s,
            self.denominator * fade + spacing_s,
        )

    @property
    def value(self) -> float | None:
        """The mean; None before the first sample."""
        return self.numerator / self.denominator if self.denominator else None


def ema_of(samples: Sequence[float], spacing_s: float, time_constant_s: float) -> float | None:
    """The mean of evenly spaced samples, started empty; None without samples."""
    ema = Ema(time_constant_s)
    for sample in samples:
        ema = ema.add(sample, spacing_s)
    return ema.value


def hyperliquid_mark(
    oracle: float, basis_ema: float, book: tuple[float, float, float], outside: dict[str, float]
) -> float:
    """Median of oracle + EMA(mid − oracle), median(bid, ask, last) and the weighted median of other venues.

    outside: perpetual mids by venue; venues without a weight are left out. Without any, the median is of
    the two that remain (their mean).
    """
    inner = [_price("oracle", oracle) + basis_ema, median(book)]
    weights = {name: HYPERLIQUID_WEIGHTS[name] for name in outside if name in HYPERLIQUID_WEIGHTS}
    if weights:
        inner.append(_weighted_median([(outside[name], weights[name]) for name in weights]))
    return median(inner)


def _weighted_median(pairs: list[tuple[float, int]]) -> float:
    """The least value at which half of the weight lies at or below; the mean of two on an exact half."""
    ordered, half, passed = sorted(pairs), sum(weight for _, weight in pairs) / 2.0, 0
    for k, (value, weight) in enumerate(ordered):
        passed += weight
        if passed > half:
            return value
        if passed == half:
            return (value + ordered[k + 1][0]) / 2.0
    raise MarginError("a weighted median needs at least one price")


def _price(name: str, value: float) -> float:
    if not (value > 0.0 and math.isfinite(value)):
        raise MarginError(f"{name} must be positive, not {value:g}")
    return value

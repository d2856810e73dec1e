"""How the brief writes figures: units, numbers, intervals, ages, provenance, and text from outside."""

import math
import unicodedata
from typing import Final

from airpocket.domain.estimates import Estimate, Provenance
from airpocket.domain.tells import Tell

USD: Final = "USD"
PRICE: Final = "quote per coin"
COIN: Final = "coin"
PERCENT: Final = "%"
PERCENT_YEAR: Final = "% a year"
FUNDING_8H: Final = "% per 8 h"
RATIO: Final = "ratio"
Z: Final = "sd"
HOURS: Final = "h"
COUNT: Final = "count"
BPS: Final = "bp"
RSI: Final = "points"

UNKNOWN: Final = "unknown"
SIMULATED: Final = "SIMULATED DATA: an invented market, not prices anyone traded at"

_SUFFIX: Final = {
    USD: "",
    PRICE: "per coin",
    FUNDING_8H: "%/8h",
    COUNT: "",
}
_DECIMALS: Final = {FUNDING_8H: 4, Z: 2, HOURS: 1, BPS: 2, RSI: 1}
_SIGNED: Final = (FUNDING_8H, Z)  # a plus says as much as a minus
_BADGE: Final[dict[Provenance, str]] = {"measured": "meas", "modelled": "model", "mixed": "mixed"}
_SCALES: Final = ((1e12, "tn"), (1e9, "bn"), (1e6, "mn"))
_LEAST_USD: Final = 0.005  # what is left of a difference that comes to nothing says less than 0
_TOO_LONG: Final = 1e15  # from here on digits say less than a power of ten


def plain(text: str) -> str:
    """Text from outside as one line that cannot steer a terminal or reorder its neighbours.

    Control characters become spaces; invisible format characters (bidirectional overrides among them)
    are dropped; what cannot be encoded becomes U+FFFD.
    """
    kept: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cc", "Zl", "Zp"):
            kept.append(" ")
        elif category == "Cs":
            kept.append("\N{REPLACEMENT CHARACTER}")
        elif category != "Cf":
            kept.append(character)
    return " ".join("".join(kept).split())


def name(identifier: str) -> str:
    """An identifier as words: 'immediate_support' → 'immediate support'."""
    return plain(identifier).replace("_", " ")


def _fixed(value: float, decimals: int, sign: str = "") -> str:
    """`decimals` places, but never a zero for a number that is not zero."""
    if value != 0 and abs(value) < 0.5 * 10**-decimals:
        return f"{value:{sign}.2g}"
    text = f"{value:{sign},.{decimals}f}"
    return text[1:] if value == 0 and text.startswith("-") else text


def _significant(value: float) -> str:
    """Three significant digits and a scale word: 1234567 → '1.23 mn'; thousands in full."""
    rounded = float(f"{value:.3g}")
    for size, word in _SCALES:
        if abs(rounded) >= size:
            return f"{_three(rounded / size)} {word}"
    return _three(value)


def _three(value: float) -> str:
    """About three significant digits, without a scale: 4.318 → '4.32', 812400 → '812,400'."""
    size = abs(value)
    decimals = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return _fixed(value, decimals)


def price(value: float) -> str:
    """A price in quote per coin, as many digits as its size needs; no unit."""
    if not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size >= _TOO_LONG:
        return f"{value:.4g}"
    if size >= 100:
        return f"{value:,.2f}"
    if size >= 1:
        return f"{value:,.4f}"
    return "0" if value == 0 else f"{value:.5g}"


def number(value: float, unit: str) -> str:
    """A value as digits in its unit's usual precision; the unit's own words are `suffix`'s."""
    if not math.isfinite(value):
        return UNKNOWN
    if abs(value) >= _TOO_LONG:
        return f"{value:.3g}"
    if unit == PRICE:
        return price(value)
    if unit == USD:
        if abs(value) < _LEAST_USD:
            return "$0"
        return f"{'-' if value < 0 else ''}${_significant(abs(value))}"
    if unit in _DECIMALS:
        return _fixed(value, _DECIMALS[unit], "+" if unit in _SIGNED else "")
    if unit == COUNT and value == round(value):
        return f"{value:,.0f}"
    return _significant(value)


def suffix(unit: str) -> str:
    """What follows the digits; a unit not in the vocabulary follows as it is."""
    return _SUFFIX.get(unit, plain(unit))


def with_unit(value: float, unit: str) -> str:
    """Digits and unit: '$1.23 bn', '+0.0123 %/8h', '6.12 mn coin'."""
    return f"{number(value, unit)} {suffix(unit)}".rstrip()


def signed_percent(value: float) -> str:
    """A signed distance in percent: '+3.20 %'."""
    if not math.isfinite(value):
        return UNKNOWN
    text = _three(value)
    return f"+{text} %" if value > 0 else f"{text} %"


def age(age_s: float | None) -> str:
    """How old a figure was when the brief was made: '6 min old'."""
    return "age unknown" if age_s is None else f"{span(age_s)} old"


def span(seconds: float) -> str:
    """A length of time in its largest sensible unit: 90 s, 6 min, 5 h, 12 d."""
    if not math.isfinite(seconds):
        return UNKNOWN
    for size, word, until in ((1, "s", 90), (60, "min", 5400), (3600, "h", 129_600)):
        if seconds < until:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds / 86_400:,.0f} d"


def badge(estimate: Estimate) -> str:
    """Where a figure comes from, in one short word: meas, model or mixed."""
    return _BADGE[estimate.provenance]


def value(estimate: Estimate) -> str:
    """Value and unit, with a ≥ where it is a lower bound, or 'unknown: reason'."""
    if estimate.value is None:
        return f"{UNKNOWN}: {plain(estimate.unknown or '') or 'no reason given'}"
    return f"{'≥ ' if estimate.at_least else ''}{with_unit(estimate.value, estimate.unit)}"


def interval(estimate: Estimate) -> str:
    """'$0.90 bn to $1.60 bn', or nothing when the figure has no interval."""
    if estimate.low is None or estimate.high is None or estimate.value is None:
        return ""
    return f"{number(estimate.low, estimate.unit)} to {number(estimate.high, estimate.unit)}"


def trust(estimate: Estimate) -> str:
    """Provenance and age: 'meas, 6 min old'; nothing for an unknown figure."""
    return "" if estimate.value is None else f"{badge(estimate)}, {age(estimate.age_s)}"


def figure(estimate: Estimate) -> str:
    """The whole figure on one line: '$1.23 bn ($0.90 bn to $1.60 bn) [model, 6 min old]'."""
    if estimate.value is None:
        return value(estimate)
    between = interval(estimate)
    return f"{value(estimate)}{f' ({between})' if between else ''} [{trust(estimate)}]"


def met(tell: Tell) -> str:
    """Whether a tell speaks: met, not met, unknown; nothing for context."""
    if not tell.condition and tell.met is None:
        return ""
    return UNKNOWN if tell.met is None else "met" if tell.met else "not met"


def moment(iso: str) -> str:
    """An ISO time for people: '2025-10-10T20:00:00Z' → '2025-10-10 20:00 UTC'; anything else as it is."""
    text = plain(iso)
    if len(text) >= 20 and text[10] == "T" and text.endswith("Z"):
        return f"{text[:10]} {text[11:16]} UTC"
    return text

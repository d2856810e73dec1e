"""Options on one core: price with greeks, implied volatility, a scenario grid and a surface, against peers."""

import statistics
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from airpocket.domain.units import DAY_NS
from airpocket.market.options.greeks import greeks
from airpocket.market.options.implied import implied_volatility
from airpocket.market.options.quotes import ChainQuotes
from airpocket.market.options.ssvi import ssvi
from airpocket.market.options.surface import surface_of
from benchmarks.harness import Figure, against, seconds

Arrays: TypeAlias = tuple[np.ndarray, ...]
_THEIRS = ("delta", "gamma", "vega", "theta", "rho")
_MANY, _FEW = 100_000, 300
_NOW = 1_790_000_000_000_000_000


def _peer(name: str) -> Any | None:
    """A package that is measured against where somebody installed it: none is needed otherwise."""
    try:
        return import_module(name)
    except ImportError:
        return None


def _options(count: int) -> Arrays:
    rng = np.random.default_rng(1)
    forward = np.full(count, 3_000.0)
    strike = forward * np.exp(rng.normal(0.0, 0.3, count))
    return (
        strike >= forward, forward, strike, rng.uniform(0.003, 1.0, count), rng.uniform(0.3, 1.5, count)
    )  # fmt: skip


def _by_numpy(ndtr: Any, call: Any, f: Any, k: Any, t: Any, vol: Any) -> tuple[Any, ...]:
    """The textbook, array by array."""
    past = np.sqrt(t)
    root = vol * past
    d1 = np.log(f / k) / root + 0.5 * root
    n1, n2, density = ndtr(d1), ndtr(d1 - root), np.exp(-0.5 * d1 * d1) / np.sqrt(2.0 * np.pi)
    price = np.where(call, f * n1 - k * n2, k * (1.0 - n2) - f * (1.0 - n1))
    return (
        price, np.where(call, n1, n1 - 1.0), k / f * np.where(call, n2, n2 - 1.0), density / (f * root),
        f * density * past, -0.5 * f * density * vol / past, -t * price,
    )  # fmt: skip


def _chain(expiries: int, strikes: int) -> ChainQuotes:
    rows = []
    for number in range(expiries):
        days = 1.5 * 1.6**number
        years = days / 365.0
        theta = 0.5 * years
        smile = ssvi(theta, -0.2, 0.9 / np.sqrt(theta))
        k = np.linspace(-3.0, 3.0, strikes) * np.sqrt(theta)
        vol = smile.volatility(k, years)
        price = greeks(k >= 0.0, 3_000.0, 3_000.0 * np.exp(k), years, vol).price / 3_000.0
        half = np.maximum(0.01 * price, 5e-5)
        expiry = np.full(strikes, _NOW + round(days * DAY_NS))
        rows.append((expiry, 3_000.0 * np.exp(k), k >= 0.0, price - half, price + half))
    expiry, strike, call, bid, ask = (np.concatenate(each) for each in zip(*rows, strict=True))
    return ChainQuotes(_NOW, expiry, strike, call, np.full(len(strike), 3_000.0), bid, ask)


def _medians(work: Callable[[], object], per: int, scale: float, repeats: int = 7) -> float:
    work()
    return round(scale * statistics.median(seconds(work) for _ in range(repeats)) / per, 3)


def figures() -> Iterator[Figure]:
    """Each beside the peers that are installed."""
    many, few = _options(_MANY), _options(_FEW)
    price = greeks(*many).price
    yield from _prices(many, few, price)
    call, forward, strike, years, _ = many

    def implied() -> object:
        return implied_volatility(call, forward, strike, years, price)

    yield Figure("implied volatility", "us", _medians(implied, _MANY, 1e6))
    vollib = _peer("vollib.black.implied_volatility")
    if vollib is not None:
        dear = greeks(*few).price
        rows = list(zip(dear, few[1], few[2], few[3], few[0], strict=True))

        def by_vollib() -> object:
            return [
                vollib.implied_volatility(p, f, k, 0.0, t, "c" if c else "p")
                for p, f, k, t, c in rows
            ]

        yield against(
            "implied volatility", implied, "vollib", by_vollib, per=_MANY, peer_per=_FEW, unit="us"
        )
    chain = _chain(12, 80)
    assert len(surface_of(chain).smiles) == 12
    yield Figure(
        "12 expiries x 80 strikes fitted", "ms", _medians(lambda: surface_of(chain), 1, 1e3)
    )


def _prices(many: Arrays, few: Arrays, price: np.ndarray) -> Iterator[Figure]:
    special, vollib = _peer("scipy.special"), _peer("vollib.black")
    yield Figure("price and six greeks", "ns", _medians(lambda: greeks(*many), _MANY, 1e9))
    if special is None:
        print("skipped: SciPy is not installed (pip install scipy)")
    else:
        assert np.allclose(_by_numpy(special.ndtr, *many)[0], price, atol=1e-8)
        for name, given in (
            ("price and six greeks", many),
            ("price and six greeks, 1,000 x 41 x 21", _grid()),
        ):
            yield against(
                name, lambda g=given: greeks(*g), "NumPy and SciPy",
                lambda g=given: _by_numpy(special.ndtr, *g), per=np.broadcast(*given).size,
            )  # fmt: skip
    if vollib is None:
        print("skipped: vollib is not installed (pip install vollib)")
        return
    greek = import_module("vollib.black.greeks.analytical")
    rows = list(zip(*(each.tolist() for each in few), strict=True))

    def by_vollib() -> object:
        found = []
        for c, f, k, t, vol in rows:
            flag = "c" if c else "p"
            found.append(vollib.black(flag, f, k, t, 0.0, vol))
            found += [getattr(greek, name)(flag, f, k, t, 0.0, vol) for name in _THEIRS]
        return found

    yield against(
        "price and greeks", lambda: greeks(*many), "vollib", by_vollib, per=_MANY, peer_per=_FEW
    )


def _grid() -> Arrays:
    """A thousand options over 41 prices and 21 volatilities."""
    call, forward, strike, years, vol = _options(1_000)
    shape = (-1, 1, 1)
    moves, shocks = (
        np.linspace(0.7, 1.4, 41)[None, :, None],
        np.linspace(0.5, 2.0, 21)[None, None, :],
    )
    return (
        call.reshape(shape), forward.reshape(shape) * moves, strike.reshape(shape), years.reshape(shape),
        vol.reshape(shape) * shocks,
    )  # fmt: skip

"""Smiles: known cases, no arbitrage whatever the quotes, and a surface that comes back from its own quotes."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.units import DAY_NS
from airpocket.market.options.fit import Slice, fit_svi
from airpocket.market.options.greeks import greeks
from airpocket.market.options.quotes import ChainQuotes, clean
from airpocket.market.options.ssvi import fit_ssvi, ssvi, widest
from airpocket.market.options.surface import surface_of
from airpocket.market.options.svi import Svi, crosses

NOW = 1_790_000_000_000_000_000
VOGT = Svi(-0.041, 0.1331, 0.306, 0.3586, 0.4153)


def test_vogt_s_smile_in_jump_wings_is_as_published():
    assert VOGT.jump_wings == pytest.approx(
        (0.01742625, -0.1752111, 0.6997381, 1.316798, 0.0116249), abs=1e-6
    )


def test_vogt_s_smile_has_a_butterfly():
    seen = VOGT.butterflies(-1.5, 1.5, 1e-4)
    assert not seen.free
    assert (seen.least, seen.at) == pytest.approx((-0.0328636, 0.8793), abs=2e-4)
    assert (seen.since, seen.until) == pytest.approx((0.6425, 1.2569), abs=2e-4)


def test_g_is_the_density_that_prices_imply():
    """By second differences of prices over the strike (Breeden and Litzenberger 1978)."""
    smile, h = Svi(0.02, 0.1, -0.3, 0.05, 0.3), 1e-3
    for k in (-0.6, -0.1, 0.0, 0.2, 0.7):
        strikes = np.exp(k) + h * np.array([-1.0, 0.0, 1.0])
        price = greeks(True, 1.0, strikes, 1.0, smile.volatility(np.log(strikes), 1.0)).price
        density = float(price[0] - 2.0 * price[1] + price[2]) / h**2
        w = float(smile.total_variance(k))
        d2 = -k / math.sqrt(w) - math.sqrt(w) / 2.0
        gauss = math.exp(-d2 * d2 / 2.0) / math.sqrt(2.0 * math.pi * w) / math.exp(k)
        assert float(smile.durrleman(k)) == pytest.approx(density / gauss, rel=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [(0.1, 0.1, 1.0, 0.0, 0.1), (0.1, -0.1, 0.0, 0.0, 0.1), (0.1, 0.1, 0.0, 0.0, 0.0),
     (-1.0, 0.1, 0.0, 0.0, 0.1), (math.nan, 0.1, 0.0, 0.0, 0.1)],
)  # fmt: skip
def test_parameters_that_are_no_smile_are_refused(wrong):
    with pytest.raises(ValueError, match="SVI"):
        Svi(*wrong)


@given(st.floats(1e-4, 2.0), st.floats(-0.95, 0.95), st.floats(0.05, 1.0))
def test_an_ssvi_within_its_bound_has_no_butterfly(theta, rho, share):
    smile = ssvi(theta, rho, share * widest(theta, rho))
    assert smile.butterflies().least >= -1e-9
    assert smile.steepest <= 2.0 + 1e-9
    assert float(smile.total_variance(0.0)) == pytest.approx(theta, rel=1e-9)


def quoted(smile, k, width=0.02):
    w = smile.total_variance(k)
    return Slice(k, w, width * w)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.002, 0.4), st.floats(-0.7, 0.7), st.floats(0.1, 0.8))
def test_a_smile_comes_back_within_its_quotes(theta, rho, share):
    truth = ssvi(theta, rho, share * widest(theta, rho))
    k = np.linspace(-3.0, 3.0, 31) * math.sqrt(theta)
    found = fit_svi(quoted(truth, k))
    assert found is not None
    off = np.abs(found.total_variance(k) / truth.total_variance(k) - 1.0)
    assert (off <= 0.02).mean() >= 0.95


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_no_quotes_whatever_give_arbitrage(seed):
    rng = np.random.default_rng(seed)
    k = np.sort(rng.normal(0.0, 0.4, rng.integers(5, 40)))
    before = None
    for _ in range(3):
        wild = np.exp(rng.normal(-3.0, 0.7, len(k)))
        quotes = Slice(k, wild, wild * rng.uniform(0.001, 0.3, len(k)))
        for found in (fit_svi(quotes, before), fit_ssvi(quotes, before)):
            if found is None:
                continue
            assert found.butterflies().free
            assert before is None or crosses(before, found) == 0.0
        before = found


def chain_of(smiles, forward=3_000.0, spread=0.02, tick=0.0001):
    """A chain in coin around smiles by days to expiry."""
    rows = []
    for days, smile in smiles.items():
        years = days / 365.0
        reach = 3.0 * math.sqrt(float(smile.total_variance(0.0)))
        for k in np.linspace(-reach, reach, 25):
            strike, vol = forward * math.exp(k), float(smile.volatility(k, years))
            for call in (True, False):
                coin = float(greeks(call, forward, strike, years, vol).price) / forward
                half = max(spread * coin, tick)
                rows.append(
                    (NOW + round(days * DAY_NS), strike, call, forward, coin - half, coin + half)
                )
    columns = [np.array(each) for each in zip(*rows, strict=True)]
    return ChainQuotes(NOW, **dict(zip(NAMES, columns, strict=True)))


SMILES = {
    days: ssvi(0.5 * days / 365.0, -0.2, 0.9 / math.sqrt(0.5 * days / 365.0))
    for days in (1, 7, 30, 180)
}
NAMES = ("expiry", "strike", "call", "forward", "bid", "ask")


def test_a_surface_comes_back_from_its_own_quotes():
    found = surface_of(chain_of(SMILES))
    assert [round(smile.years * 365.0) for smile in found.smiles] == list(SMILES)
    assert sum(s.inside for s in found.smiles) >= 0.95 * sum(s.quotes for s in found.smiles)
    assert found.unfitted == ()
    for earlier, later in zip(found.smiles, found.smiles[1:], strict=False):
        assert crosses(earlier.svi, later.svi) == 0.0
    for smile in found.smiles:
        assert smile.svi.butterflies().free
        assert smile.at_the_money == pytest.approx(math.sqrt(0.5), rel=0.02)
    assert float(found.volatility(0.0, 100.0 / 365.0)) == pytest.approx(math.sqrt(0.5), rel=0.02)
    assert found.index_volatility(30.0 / 365.0) > found.smiles[2].at_the_money


def test_a_flat_smile_s_index_is_its_volatility():
    flat = {days: Svi(0.36 * days / 365.0, 1e-9, 0.0, 0.0, 0.1) for days in (20, 40)}
    found = surface_of(chain_of(flat))
    assert found.index_volatility(30.0 / 365.0, 0.0) == pytest.approx(0.6, rel=5e-3)
    assert (
        0.55 < found.index_volatility(30.0 / 365.0) < 0.595
    )  # what pays beyond 5 delta is left out


def test_quotes_that_say_nothing_are_left_out_and_counted():
    chain = chain_of(SMILES)
    n = len(chain.strike)
    bid, ask, expiry, forward = (
        chain.bid.copy(),
        chain.ask.copy(),
        chain.expiry.copy(),
        chain.forward.copy(),
    )
    spare = np.flatnonzero(chain.call == (chain.strike >= chain.forward))
    bid[spare[30]] = 0.0
    bid[spare[31]] = math.nan
    bid[spare[32]], ask[spare[32]] = ask[spare[32]], bid[spare[32]]
    ask[spare[33]] = 9.0 * bid[spare[33]]
    expiry[spare[34]] = NOW - DAY_NS
    forward[spare[35]] = math.nan
    bid[spare[40]], ask[spare[40]] = 0.9, 0.95  # dearer than any volatility makes it
    changed = ChainQuotes(NOW, expiry, chain.strike, chain.call, forward, bid, ask)
    slices, left_out = clean(changed)
    kept = sum(len(each.strike) for each in slices)
    plain = sum(len(each.strike) for each in clean(chain)[0])
    assert kept == plain - 7
    assert left_out["crossed or locked"] == 1
    assert left_out["ask above 4 times the bid"] >= 1
    assert left_out["expired or about to"] == left_out["no forward or strike"] == 1
    assert left_out["no volatility that could be"] == 1
    assert kept + sum(left_out.values()) == n


def test_too_few_quotes_give_the_smile_that_always_holds_and_none_gives_none():
    chain = chain_of({30: SMILES[30]})
    near = np.argsort(np.abs(np.log(chain.strike / chain.forward)))[:6]
    few = ChainQuotes(NOW, *(getattr(chain, name)[near] for name in NAMES))
    (smile,) = surface_of(few).smiles
    assert smile.form == "ssvi"
    assert smile.at_the_money == pytest.approx(math.sqrt(0.5), rel=0.03)
    empty = surface_of(ChainQuotes(NOW, *(getattr(chain, name)[:0] for name in NAMES)))
    assert empty.smiles == ()
    assert empty.left_out == Counter()
    with pytest.raises(ValueError, match="no smile"):
        empty.volatility(0.0, 0.1)

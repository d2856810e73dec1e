"""The verdict of a market: unknown with a reason, a past that does not change, and sentences with prices."""

import numpy as np
import pytest
import samples

from airpocket.cascade.records import Unscanned
from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS
from airpocket.liquidations.records import Unmapped
from airpocket.market.state import MarketState
from airpocket.signals.panel import SignalState
from airpocket.verdict.evidence import evidence_of
from airpocket.verdict.judge import verdict
from airpocket.verdict.settings import VerdictSettings

HOURS = 24 * 40
NO_MAP, NO_SCAN = Unmapped("no open interest"), Unscanned("no map")


def market_at(now, *, drop=(), interest=True):
    state = MarketState("ETH")
    batches = [samples.bars(HOURS, drop=drop, seed=5), samples.funding(HOURS // 8)]
    if interest:
        batches.append(samples.interest(HOURS))
    for batch in batches:
        state.apply(samples.cut(batch, now))
    return state.snapshot(now)


def judged(now, **changes):
    market = market_at(now, **changes)
    return verdict(market, SignalState().measure(market), NO_MAP, NO_SCAN)


@pytest.mark.fault("D01")
def test_evidence_of_an_hour_is_the_same_when_asked_later():
    s = VerdictSettings()
    late = samples.START + HOURS * HOUR_NS
    early = late - 50 * HOUR_NS
    before, after = (evidence_of(market_at(now), s) for now in (early, late))
    shared = np.intersect1d(before.end, after.end)
    assert len(shared) == s.days * 24 - 50
    rows_before, rows_after = np.isin(before.end, shared), np.isin(after.end, shared)
    for name in ("close", "top", "bottom", "atr", "move_sd", "volume_ratio", "interest", "opened",
                 "funding_sd", "gap_h"):  # fmt: skip
        one, two = getattr(before, name)[rows_before], getattr(after, name)[rows_after]
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12, err_msg=name)


def test_a_verdict_has_a_state_a_way_out_and_what_is_missing():
    found = judged(samples.START + HOURS * HOUR_NS)
    assert found.state != "unknown"
    assert found.would_change
    assert any("→" in each for each in found.would_change)
    assert any("no trade tape" in each for each in found.missing)
    assert {tell.id for tell in found.tells} >= {"green_interest", "shorts_at_risk", "glide"}


def test_without_open_interest_covering_is_said_to_be_unknown():
    found = judged(samples.START + HOURS * HOUR_NS, interest=False)
    assert any("covering can't be told" in each for each in found.missing)
    green = next(tell for tell in found.tells if tell.id == "green_interest")
    assert green.estimate.value is None


@pytest.mark.parametrize(("hours", "said"), [(3, "too few hours"), (None, "no hour has closed")])
def test_too_little_or_too_old_is_unknown(hours, said):
    if hours is None:
        now = samples.START + HOURS * HOUR_NS
        found = judged(now, drop=range(HOURS - 5, HOURS))
    else:
        found = judged(samples.START + hours * HOUR_NS)
    assert found.state == "unknown"
    assert found.direction is None
    assert said in found.because[0]


def test_stale_open_interest_is_no_change_of_zero():
    s = VerdictSettings()
    now = samples.START + HOURS * HOUR_NS
    state = MarketState("ETH")
    state.apply(samples.bars(HOURS, seed=5))
    state.apply(samples.cut(samples.interest(HOURS), now - 10 * HOUR_NS))
    found = evidence_of(state.snapshot(now), s)
    assert np.isnan(found.interest[-9:]).all()
    assert np.isfinite(found.interest[-30:-12]).all()


@pytest.mark.fault("L03")
def test_covering_is_unknown_while_the_liquidation_channel_is_suspect():
    now = samples.START + HOURS * HOUR_NS
    state = MarketState("ETH")
    stamp = np.array([now - HOUR_NS], np.int64)
    said = {name: np.array([text]) for name, text in
            (("channel", "liquidations"), ("state", "degraded"), ("reason", "no liquidation while"))}  # fmt: skip
    ill = Batch(
        "channel_state", "binance_usdm", "ETHUSDT", {"ts": stamp, "usable_from": stamp, **said}
    )
    for batch in (
        samples.bars(HOURS, seed=5),
        samples.funding(HOURS // 8),
        samples.interest(HOURS),
        ill,
    ):
        state.apply(batch)
    market = state.snapshot(now)
    found = verdict(market, SignalState().measure(market), NO_MAP, NO_SCAN)
    assert found.missing[-1].startswith(
        "covering can't be told: the liquidation channel of binance_usdm:ETHUSDT"
    )
    [green] = [tell for tell in found.tells if tell.id == "green_interest"]
    assert (green.estimate.value, green.met) == (None, None)

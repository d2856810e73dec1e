"""The scenario table of a short, live, and the rule to trim: conditions, readings, actions (M31, M32)."""

from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import Tell, at_least
from airpocket.levels.words import price_text
from airpocket.playbook.chart import (
    funding_rise,
    higher_high,
    implied_change,
    spot_premium_change,
    volume_ratio,
)
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Play, Step
from airpocket.playbook.shorts import exit_prices
from airpocket.playbook.sizes import rounded_up
from airpocket.playbook.steps import all_of, any_of


def scenario_play(ground: Ground) -> Play:
    """The four rows of M32 and the trim rule of M31 for this position."""
    rows = [_trend(ground), _hot_funding(ground), _spot_bid(ground), _volatility(ground)]
    return Play(
        id="scenarios", title="Scenario table", refs=["M32"], steps=rows,
        notes=[
            "The rows are independent; do the larger one if two fire. "
            f"{ground.hedged[0].upper()}{ground.hedged[1:]}."
        ],
    )  # fmt: skip


def _share(ground: Ground, share: float) -> float:
    size = ground.position.size_coin
    return rounded_up(share * size, size)


def _trend(ground: Ground) -> Step:
    s, market = ground.settings, ground.situation.market
    tells = [
        at_least("higher_high", f"4 h close over the high of the {s.trend_bars} bars before",
                 higher_high(market, s.trend_bars), 0.0, "a higher high at 0 %"),
        at_least("trend_volume", "volume of that bar over their mean",
                 volume_ratio(market, s.trend_bars), s.trend_volume,
                 f"expanding at {s.trend_volume:g} times"),
    ]  # fmt: skip
    state, because = all_of(tells)
    half = _share(ground, s.trend_share)
    return Step(
        id="trend_acceleration", title="Trend acceleration", refs=["M32"], state=state, because=because,
        condition="higher highs on expanding volume",
        action=f"buy back {ground.text(half)} ({100 * s.trend_share:.0f} %) at once; keep the hedge "
        f"({ground.hedged})",
        size_coin=ground.coins(half), tells=tells, cost=ground.cost(half, ground.price),
        invalidation="a 4 h close back under the high that was broken",
        uncovered=f"the other {ground.text(ground.rest(half))}",
    )  # fmt: skip


def _hot_funding(ground: Ground) -> Step:
    s, signals = ground.settings, ground.situation.signals
    own = signals.tells.get(f"funding_8h:{ground.position.key}")
    level: Estimate = signals.figure("funding_8h") if own is None else own.estimate
    tells = [
        at_least("hot_funding", f"funding ({level.source or ground.position.key})", level,
                 s.hot_funding_8h, f"hot at {s.hot_funding_8h:.2f} %/8 h"),
        at_least("funding_rising", "its change from the period before",
                 funding_rise(ground.situation.market, ground.position.key), 1e-9, "rising above 0"),
    ]  # fmt: skip
    state, because = all_of(tells)
    cut = _share(ground, s.funding_share)
    return Step(
        id="funding_spike", title="Funding above +0.10 % and rising", refs=["M32"], state=state,
        because=because, condition=f"funding above {s.hot_funding_8h:+.2f} % per 8 h, and rising",
        action=f"buy back {ground.text(cut)} ({100 * s.funding_share:.0f} %) and add a call spread "
        "(the one under Hedges, where a chain prices one)",
        size_coin=ground.coins(cut), tells=tells, cost=ground.cost(cut, ground.price),
        invalidation="funding falls back under the threshold",
        uncovered=f"the other {ground.text(ground.rest(cut))}; the short receives this funding meanwhile",
    )  # fmt: skip


def _spot_bid(ground: Ground) -> Step:
    s, size = ground.settings, ground.position.size_coin
    signals = ground.situation.signals
    tells = [
        signals.tells["spot_premium"],
        at_least("premium_widening", f"its widening in {s.widen_hours} h",
                 spot_premium_change(ground.situation.market, s.widen_hours), s.spot_widen_bps,
                 f"widening at {s.spot_widen_bps:g} bp"),
    ]  # fmt: skip
    state, because = all_of(tells)
    return Step(
        id="spot_premium_widens", title="Spot premium widens", refs=["M32"], state=state,
        because=because, condition="spot trades above the perpetual and pulls away",
        action=f"exit the rest, up to {ground.text(size)}, by an OCO pair: {_oco(ground)}",
        size_coin=ground.coins(size), tells=tells, cost=ground.cost(size, ground.price),
        invalidation="the premium closes again before either order is filled",
        uncovered="slippage of the stop leg",
    )  # fmt: skip


def _oco(ground: Ground) -> str:
    """Limit below at the first zone that pays, stop above at the confirmation price."""
    prices = exit_prices(ground)
    stop = (
        "no stop price is known" if prices is None else f"stop at {price_text(prices.confirmation)}"
    )
    targets = ground.structure.targets(ground.settings.noise_atr)
    if not targets:
        return f"{stop}; no zone below is known for the limit"
    return f"limit at {price_text(targets[0][0])}, {stop}"


def _volatility(ground: Ground) -> Step:
    s = ground.settings
    tell = at_least(
        "implied_jump", "implied-volatility index, 24 h, relative", implied_change(ground.situation.market),
        s.iv_jump_percent, f"a jump at {s.iv_jump_percent:g} %",
    )  # fmt: skip
    state, because = all_of([tell])
    return Step(
        id="implied_jump", title="Implied volatility +20 % in a day", refs=["M32"], state=state,
        because=because, condition="30-day implied volatility up 20 % (relative) in 24 h",
        action=f"roll the hedges, add nothing uncovered ({ground.hedged})", tells=[tell],
        invalidation="volatility falls back within a day",
        uncovered=f"the whole {ground.text(ground.position.size_coin)}: rolling trades no perpetual",
    )  # fmt: skip


def trim_play(ground: Ground) -> Play:
    """M31: trim when bid depth thins or spot leads by a wide margin."""
    s, signals = ground.settings, ground.situation.signals
    premium = signals.figure("spot_premium")
    tells: list[Tell] = [
        signals.tells["bid_thinning"],
        signals.tells["ask_thinning"],
        at_least("spot_wide", "spot over perpetual", premium, s.spot_wide_bps,
                 f"a wide margin at {s.spot_wide_bps:g} bp"),
    ]  # fmt: skip
    state, because = any_of(tells)
    cut = _share(ground, s.trim_share)
    step = Step(
        id="trim", title="Trim", refs=["M31"], state=state, because=because,
        condition="the book thins on either side, or spot leads perpetuals by a wide margin",
        action=f"buy back {ground.text(cut)} ({100 * s.trim_share:.0f} %) while there is depth to do it in",
        size_coin=ground.coins(cut), tells=tells, cost=ground.cost(cut, ground.price),
        invalidation="depth reloads and spot falls back",
        uncovered=f"the other {ground.text(ground.rest(cut))}",
    )  # fmt: skip
    return Play(id="trim", title="Trim into thin books", refs=["M31"], steps=[step])

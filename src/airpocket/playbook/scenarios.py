"""The scenario table of a short, live, and the rule to trim: conditions, readings, actions (M31, M32)."""

import numpy as np

from airpocket.domain.estimates import Estimate
from airpocket.domain.positions import OptionPosition
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
from airpocket.playbook.hedges import Priced, in_words, leg_at, outlay, scaled
from airpocket.playbook.hedging.records import HedgeLeg
from airpocket.playbook.records import Play, Step
from airpocket.playbook.shorts import exit_prices
from airpocket.playbook.sizes import rounded_up
from airpocket.playbook.steps import all_of, any_of


def scenario_play(ground: Ground, options: Priced | str) -> Play:
    """The four rows of M32 for this position, with the options they name as they are quoted now."""
    rows = [
        _trend(ground), _hot_funding(ground, options), _spot_bid(ground), _volatility(ground, options),
    ]  # fmt: skip
    notes = [
        "The rows are independent; do the larger one if two fire. "
        f"{ground.hedged[0].upper()}{ground.hedged[1:]}."
    ]
    if isinstance(options, Priced) and options.sketch:
        notes.append(
            "The options named here are a sketch and no offer: see Hedges for what they are made of."
        )
    return Play(id="scenarios", title="Scenario table", refs=["M32"], steps=rows, notes=notes)


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
        action=f"buy back {ground.text(half)} ({100 * s.trend_share:.0f} %) at once; "
        + (f"keep {ground.hedged}" if ground.cover else "no hedge is held to keep"),
        size_coin=ground.coins(half), tells=tells, cost=ground.cost(half, ground.price),
        invalidation="a 4 h close back under the high that was broken",
        uncovered=f"the other {ground.text(ground.rest(half))}",
    )  # fmt: skip


def _hot_funding(ground: Ground, options: Priced | str) -> Step:
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
    told, legs = _call_spread(ground, options, ground.rest(cut) / ground.position.size_coin)
    return Step(
        id="funding_spike", title="Funding above +0.10 % and rising", refs=["M32"], state=state,
        because=because, condition=f"funding above {s.hot_funding_8h:+.2f} % per 8 h, and rising",
        action=f"buy back {ground.text(cut)} ({100 * s.funding_share:.0f} %) and {told}", legs=legs,
        size_coin=ground.coins(cut), tells=tells, cost=ground.cost(cut, ground.price),
        invalidation="funding falls back under the threshold",
        uncovered=f"the other {ground.text(ground.rest(cut))}; the short receives this funding meanwhile",
    )  # fmt: skip


def _call_spread(ground: Ground, options: Priced | str, share: float) -> tuple[str, list[HedgeLeg]]:
    """The spread for what is left, else the ladder, with its price now."""
    if isinstance(options, str):
        return f"add a call spread: none can be named, {options}", []
    hedge = options.shape("spread", "ladder")
    if hedge is None:
        return "add a call spread: none is needed or none holds, see Hedges", []
    legs = scaled(hedge, share)
    cost = outlay(ground, legs, options).value or 0.0
    spread = any(leg.side == "sell" for leg in legs)
    name = "the call spread" if spread else "calls, as selling further ones saves nothing,"
    sketch = ", a sketch" if options.sketch else ""
    told = f"add {name} for the rest: {in_words(legs)}, ${cost:,.0f} with fees{sketch}"
    return told, [] if options.sketch else legs


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


def _volatility(ground: Ground, options: Priced | str) -> Step:
    s = ground.settings
    told, legs = _roll(ground, options)
    tell = at_least(
        "implied_jump", "implied-volatility index, 24 h, relative", implied_change(ground.situation.market),
        s.iv_jump_percent, f"a jump at {s.iv_jump_percent:g} %",
    )  # fmt: skip
    state, because = all_of([tell])
    return Step(
        id="implied_jump", title="Implied volatility +20 % in a day", refs=["M32"], state=state,
        because=because, condition="30-day implied volatility up 20 % (relative) in 24 h",
        action=f"{told}; add nothing uncovered", tells=[tell], legs=legs,
        invalidation="volatility falls back within a day",
        uncovered=f"the whole {ground.text(ground.position.size_coin)}: rolling trades no perpetual",
    )  # fmt: skip


def _roll(ground: Ground, options: Priced | str) -> tuple[str, list[HedgeLeg]]:
    """What is held sold at its bid, the cheapest cover bought in its place; without a hedge nothing to roll."""
    if isinstance(options, str):
        what = f"roll {ground.hedged}" if ground.cover else "no hedge is held to roll"
        return f"{what}: into what can't be named, {options}", []
    hedge = options.shape("ladder", "spread")
    sketch = " (a sketch)" if options.sketch else ""
    new = [] if hedge is None else scaled(hedge, 1.0)
    into = f"{in_words(new)}{sketch}" if new else "nothing: the position holds up as it is"
    if not ground.cover:
        return f"no hedge is held to roll; if one is to be had now, {into}", []
    old = [leg for each in ground.cover if (leg := _sold(ground, options, each)) is not None]
    unquoted = len(ground.cover) - len(old)
    bare = f" ({unquoted} of what is held has no bid)" if unquoted else ""
    legs = [*old, *new]
    net = outlay(ground, legs, options).value or 0.0
    way = "costs" if net >= 0.0 else "brings"
    return (
        f"roll: {in_words(old) or 'sell what is held'}{bare}, into {into}; together that {way} ${abs(net):,.0f}",
        [] if options.sketch else legs,
    )  # fmt: skip


def _sold(ground: Ground, options: Priced, held: OptionPosition) -> HedgeLeg | None:
    found = options.found
    same = (found.expiry == held.expiry) & (found.strike == held.strike) & (found.call == held.call)
    rows = np.flatnonzero(same & (found.bid > 0.0))
    return leg_at(ground, options, int(rows[0]), "sell", held.size_coin) if len(rows) else None


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

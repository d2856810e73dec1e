"""Questions to the engine that need working out: what-if; plan, stress and hedges of what is held; other bars."""

import math
from pathlib import Path
from typing import Any

import msgspec

from airpocket.brief import hedge_json, plan_json, stress_json, whatif_json
from airpocket.cascade.deals import PathSettings, Push
from airpocket.cascade.paths import Course
from airpocket.delivery.hedging import major_of
from airpocket.delivery.holdings import (
    Behind,
    assessments_for,
    hedges_on,
    held_as,
    held_in,
    perpetual_assets,
    plans_on,
    stress_on,
)
from airpocket.delivery.serve.columns import MOST_BARS, bars_of
from airpocket.delivery.serve.others import MOST_COINS, Others
from airpocket.domain.errors import (
    AirpocketError,
    BadInput,
    NothingKnown,
    UnknownInstrument,
)
from airpocket.domain.positions import Positions
from airpocket.pipeline import Assessment
from airpocket.playbook.hedging.settings import HedgeSettings

Told = tuple[int, bytes]  # an HTTP status, and JSON
MOST_HEDGED = 4  # each may be searched for ten seconds, and an answer waits two minutes


def answer(verb: str, body: bytes, found: Assessment, store: Path, others: Others) -> Told:
    """One question about an assessment; what is wrong with it is said in the answer."""
    asked: dict[str, Any] = msgspec.json.decode(body)
    try:
        if verb == "whatif":
            return 200, _compact(_what_if(asked, found, store))
        if verb in _ABOUT_HOLDINGS:
            held = _held(asked)
            return 200, _compact(_ABOUT_HOLDINGS[verb](held, asked, found, others))
        bars = bars_of(
            found.market, asked["interval"], asked["contract"], min(asked["limit"], MOST_BARS)
        )
        return 200, msgspec.json.encode(bars)
    except (BadInput, UnknownInstrument) as error:
        return _problem(422, "bad_request", str(error))
    except NothingKnown as error:
        return _problem(404, "nothing_known", str(error))
    except AirpocketError as error:
        return _problem(503, "store", str(error))


def not_yet() -> Told:
    """Nothing has been assessed yet."""
    return _problem(503, "not_yet", "the first edition is being made")


def failed() -> Told:
    """A fault of ours."""
    return _problem(500, "failed", "a fault of airpocket: the server's output tells more")


def _what_if(asked: dict[str, Any], found: Assessment, store: Path) -> bytes:
    from airpocket.delivery.whatif import what_if_on

    shock, to = asked["shock_percent"], asked["break_price"]
    push = Push(
        usd=asked["push_usd"], jump=math.log1p((shock or 0.0) / 100.0),
        depth=1.0 - asked["drop_depth_percent"] / 100.0, spot=asked["spot"],
    )  # fmt: skip
    steps = round(60.0 * asked["minutes"])
    course = Course(steps=steps, push_s=60.0, marks=min(60, steps), seed=asked["seed"])
    how = PathSettings(paths=asked["paths"], course=course)
    whatif, simulated = what_if_on(found, store, push, how, break_price=to, venues=asked["venues"])
    return whatif_json.render(found.market.asset, whatif, simulated=simulated)


def _held(asked: dict[str, Any]) -> Positions:
    if "toml" in asked:
        return held_in(asked["toml"], "toml")
    keys = {"positions": "position", "options": "option", "balances": "balance"}
    told = {kind: asked[key] for key, kind in keys.items() if asked.get(key)}
    if "portfolio_usd" in asked:
        told["portfolio_usd"] = asked["portfolio_usd"]
    return held_as(told, "request")


def _assessed(held: Positions, found: Assessment, others: Others) -> dict[str, Assessment]:
    """Of every coin held: the server's own as it is shown, others of the same moment."""
    own, now = found.market.asset, found.market.now
    return assessments_for(
        held, lambda asset: found if asset == own else others.of(asset, now), MOST_COINS
    )


def _plans(held: Positions, asked: dict[str, Any], found: Assessment, others: Others) -> bytes:
    del asked
    return plan_json.render(plans_on(held, _assessed(held, found, others), name="request"))


def _stress(held: Positions, asked: dict[str, Any], found: Assessment, others: Others) -> bytes:
    del asked
    return stress_json.render(stress_on(held, _assessed(held, found, others), name="request"))


def _hedges(held: Positions, asked: dict[str, Any], found: Assessment, others: Others) -> bytes:
    if len(held.positions) > MOST_HEDGED:
        raise BadInput(f"request: at most {MOST_HEDGED} positions are hedged at once")
    mapped, hedged = _assessed(held, found, others), perpetual_assets(held)
    behind = {
        asset: _behind(each, others, hedged=asset in hedged) for asset, each in mapped.items()
    }
    settings = HedgeSettings(
        gap_percent=asked["gap_percent"], buffer=asked["buffer"], legs=asked["legs"],
        hold_d=asked["hold_days"], most_loss_usd=asked.get("max_loss_usd"), budget_usd=asked.get("budget_usd"),
        standard_margin=asked["standard_margin"],
    )  # fmt: skip
    return hedge_json.render(hedges_on(held, behind, settings, "request"))


def _behind(found: Assessment, others: Others, *, hedged: bool) -> Behind:
    situation = found.situation(None)
    if not hedged:
        return Behind(situation)
    return Behind(situation, major_of(others.lake, situation, found.market.now), found.pushes())


_ABOUT_HOLDINGS = {"plan": _plans, "stress": _stress, "hedge": _hedges}


def _compact(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=0)


def _problem(status: int, code: str, message: str) -> Told:
    return status, msgspec.json.encode({"code": code, "message": message})

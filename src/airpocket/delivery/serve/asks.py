"""Questions to the engine that need working out: what-if, a plan, other bars."""

import math
from pathlib import Path
from typing import Any

import msgspec

from airpocket.brief import plan_json, whatif_json
from airpocket.cascade.deals import PathSettings, Push
from airpocket.cascade.paths import Course
from airpocket.delivery.serve.columns import MOST_BARS, bars_of
from airpocket.domain.errors import (
    AirpocketError,
    BadInput,
    NothingKnown,
    UnknownInstrument,
)
from airpocket.domain.instruments import instrument
from airpocket.domain.portfolio import account_with, accounts_of
from airpocket.ingest.accounts import positions_from
from airpocket.ingest.entries import Entry
from airpocket.pipeline import Assessment
from airpocket.playbook.plan import plan_for

Told = tuple[int, bytes]  # an HTTP status, and JSON


def answer(verb: str, body: bytes, found: Assessment, store: Path) -> Told:
    """One question about an assessment; what is wrong with it is said in the answer."""
    asked: dict[str, Any] = msgspec.json.decode(body)
    try:
        if verb == "whatif":
            return 200, _compact(_what_if(asked, found, store))
        if verb == "plan":
            return 200, _compact(_plans(asked, found))
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


def _plans(asked: dict[str, Any], found: Assessment) -> bytes:
    told = {"position": asked["positions"]}
    if "portfolio_usd" in asked:
        told["portfolio_usd"] = asked["portfolio_usd"]
    held = positions_from(Entry("request", told))
    situation = found.situation(None, held.portfolio_usd)
    for position in held.positions:
        base = instrument(position.venue, position.symbol).base
        if base != found.market.asset:
            raise BadInput(f"{position.key} is {base}; this server is of {found.market.asset}")
    accounts = accounts_of(held)
    return plan_json.render(
        [
            plan_for(
                p, situation, within=account_with(accounts, p), cover=held.options, beside=held
            )
            for p in held.positions
        ]
    )


def _compact(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=0)


def _problem(status: int, code: str, message: str) -> Told:
    return status, msgspec.json.encode({"code": code, "message": message})

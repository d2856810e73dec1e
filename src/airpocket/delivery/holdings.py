"""What someone holds, put to assessments that are there already: plans, stress tests, hedges."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airpocket.cascade.pushes import Pushes
from airpocket.cascade.records import Unscanned
from airpocket.domain.catalysts import Catalyst
from airpocket.domain.errors import BadInput, NothingKnown, UnknownInstrument
from airpocket.domain.instruments import instrument
from airpocket.domain.portfolio import account_with, accounts_of
from airpocket.domain.positions import Positions
from airpocket.ingest.accounts import positions_from
from airpocket.ingest.entries import Entry
from airpocket.pipeline import Assessment
from airpocket.playbook.hedging.backing import Around, asked_for
from airpocket.playbook.hedging.major import Major
from airpocket.playbook.hedging.records import HedgeSheet
from airpocket.playbook.hedging.settings import HedgeSettings
from airpocket.playbook.hedging.sheet import hedge_sheet
from airpocket.playbook.ledger import STABLECOINS
from airpocket.playbook.plan import plan_for
from airpocket.playbook.records import Plan
from airpocket.playbook.situation import Situation
from airpocket.playbook.stress.records import StressTest
from airpocket.playbook.stress.run import stress_of

MOST_HELD = 40  # of each kind, in what came over a wire
MOST_TEXT = 64_000  # characters of a position file that came so


def held_in(text: str, name: str = "positions") -> Positions:
    """What a position file says that came as text; docs/plan.md has the format.

    Raises:
        BadInput: too long, not TOML, or an entry is wrong; names entry and field.
    """
    if len(text) > MOST_TEXT:
        raise BadInput(f"{name}: {len(text):,} characters; at most {MOST_TEXT:,} are read")
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{name}: not TOML: {error}") from error
    except RecursionError as error:
        raise BadInput(f"{name}: nested too deeply") from error
    return held_as(told, name)


def held_as(told: dict[str, Any], name: str) -> Positions:
    """The same of tables that are parsed already.

    Raises:
        BadInput: an entry is wrong, or they are too many; names entry and field.
    """
    for kind in ("position", "option", "balance"):
        given = told.get(kind)
        if isinstance(given, list) and len(given) > MOST_HELD:  # pyright: ignore[reportUnknownArgumentType]
            raise BadInput(f"{name}: more than {MOST_HELD} [[{kind}]]")
    return positions_from(Entry(name, told))


def assessments_for(
    held: Positions, assess: Callable[[str], Assessment], most: int | None = None
) -> dict[str, Assessment]:
    """What is thought of every coin held, by asset.

    Coins that only balances hold are left out where nothing is known of them.

    Args:
        assess: the assessment of an asset; NothingKnown where there is none.
        most: coins at most, where answering must not take for ever.

    Raises:
        BadInput: more coins than `most`.
        NothingKnown: nothing is known of the asset of a position or an option.
    """
    needed = dict.fromkeys(asset for each in accounts_of(held) for asset in each.assets)
    spare = dict.fromkeys(
        each.currency for each in held.balances
        if each.currency not in STABLECOINS and each.currency not in needed
    )  # fmt: skip
    if most is not None and len(needed) + len(spare) > most:
        raise BadInput(f"{len(needed) + len(spare)} coins are held; at most {most} are assessed")
    found = {asset: assess(asset) for asset in needed}
    for asset in spare:
        try:
            found[asset] = assess(asset)
        except (NothingKnown, UnknownInstrument):  # ledger_of says so where it is missed
            continue
    return found


def plans_on(
    held: Positions,
    found: Mapping[str, Assessment],
    calendar: tuple[Catalyst, ...] | None = None,
    name: str = "positions",
) -> list[Plan]:
    """A plan for every perpetual, in order.

    Raises:
        BadInput: there is none, or a position can't exist or was opened later; names position.
    """
    if not held.positions:
        raise BadInput(f"{name}: holds no [[position]] to plan for; stress tests options alone")
    situations = situations_of(held, found, calendar)
    accounts = accounts_of(held)
    plans: list[Plan] = []
    for number, position in enumerate(held.positions, 1):
        here = situations[instrument(position.venue, position.symbol).base]
        within = account_with(accounts, position)
        try:
            plans.append(
                plan_for(
                    position,
                    here,
                    within=within,
                    others=situations,
                    cover=held.options,
                    beside=held,
                )
            )
        except BadInput as error:
            raise BadInput(f"{name}, position {number}: {error}") from error
    return plans


def stress_on(
    held: Positions, found: Mapping[str, Assessment], name: str = "positions"
) -> list[StressTest]:
    """A stress test of every account.

    Raises:
        BadInput: something held can't be valued; names account.
    """
    pushes = {asset: each.pushes() for asset, each in found.items()}
    try:
        return stress_of(held, situations_of(held, found), pushes)
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from error


@dataclass(frozen=True, slots=True)
class Behind:
    """What hedges of an asset rest on: its situation, what leads it or why nothing does, cascades as walked."""

    situation: Situation
    major: Major | str = "no position of it"
    pushes: Pushes | Unscanned | None = None


def hedges_on(
    held: Positions,
    behind: Mapping[str, Behind],
    settings: HedgeSettings,
    name: str = "positions",
    chain: str = "",
) -> list[HedgeSheet]:
    """A sheet of hedges for every perpetual, in order.

    Args:
        behind: by asset, also of the other coins of accounts that hold a perpetual.
        chain: name of the option quotes that were given in place of stored ones.

    Raises:
        BadInput: no perpetual, an account that can't be valued, or nothing of the chain given can be traded;
            names position or chain.
    """
    if not held.positions:
        raise BadInput(f"{name}: holds no [[position]] to hedge")
    situations = {asset: each.situation for asset, each in behind.items()}
    sheets: list[HedgeSheet] = []
    for number, position in enumerate(held.positions, 1):
        own = behind[instrument(position.venue, position.symbol).base]
        around = Around(pushes=own.pushes, sketched=not chain)
        try:
            asked = asked_for(
                position, held, own.situation, settings, around, major=own.major, others=situations
            )
        except BadInput as error:
            raise BadInput(f"{name}, position {number}: {error}") from error
        if chain and isinstance(asked.candidates, str):
            raise BadInput(f"{chain}: {asked.candidates}")
        sheets.append(hedge_sheet(asked))
    return sheets


def situations_of(
    held: Positions,
    found: Mapping[str, Assessment],
    calendar: tuple[Catalyst, ...] | None = None,
) -> dict[str, Situation]:
    """What plans look at, by asset."""
    return {
        asset: each.situation(calendar, held.portfolio_usd, held.volatility)
        for asset, each in found.items()
    }


def perpetual_assets(held: Positions) -> Sequence[str]:
    """The coins of the perpetuals, in the order met."""
    bases = (instrument(each.venue, each.symbol).base for each in held.positions)
    return tuple(dict.fromkeys(bases))

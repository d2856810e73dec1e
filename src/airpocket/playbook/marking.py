"""What an account is valued at: marks, funding and terms of its contracts, volatilities of its options."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from airpocket.domain.instruments import instrument
from airpocket.domain.portfolio import Account
from airpocket.domain.positions import OptionPosition, Position
from airpocket.domain.units import YEAR_NS, TimeNs
from airpocket.margin.rules import rules_in_force
from airpocket.market.options.chain import newest_chain
from airpocket.market.options.surface import Surface, surface_of
from airpocket.market.rules import tiers_in_force
from airpocket.market.state import Contract
from airpocket.playbook.ledger import Marks, Terms
from airpocket.playbook.situation import Situation, mark_of


@dataclass(frozen=True, slots=True)
class Marked:
    """Marks and terms as far as they are known, and in sentences what stands in for what."""

    marks: Marks
    terms: Mapping[str, Terms]
    notes: tuple[str, ...]


def marked(account: Account, situations: Mapping[str, Situation], fresh_h: float) -> Marked:
    """Everything an account is valued by, of the situations of its coins, by asset.

    What is not known is left out: `ledger_of` says what it misses. A price older than `fresh_h` hours is not
    known. Options take their volatility from the newest chain of their coin, wherever it is listed.
    """
    now = max((each.now for each in situations.values()), default=0)
    contract, coin, funding = dict[str, float](), dict[str, float](), dict[str, float]()
    notes = list[str]()
    for position in account.positions:
        asset = instrument(position.venue, position.symbol).base
        situation = situations.get(asset)
        if situation is None:
            continue
        found = mark_of(situation, position, fresh_h)
        if found.price.value is not None:
            contract[position.key] = found.price.value
            coin.setdefault(asset, found.price.value)
            if found.price.provenance != "measured":
                notes.append(f"{position.key}: {found.words}")
        rate = situation.signals.tells.get(f"funding_8h:{position.key}")
        if rate is not None and rate.estimate.value is not None:
            funding[position.key] = rate.estimate.value / 100.0
    for asset, situation in situations.items():
        last = situation.signals.last.value
        if last is not None:
            coin.setdefault(asset, last)
    volatility, forward = dict[str, float](), dict[str, float]()
    for asset in dict.fromkeys(each.base for each in account.options):
        if asset in situations:
            notes += _of_chain(account, asset, situations[asset], volatility, forward)
    return Marked(
        Marks(
            now=now, contract=contract, coin=coin, volatility=volatility, forward=forward, funding_8h=funding
        ),
        _terms(account, situations), tuple(notes),
    )  # fmt: skip


def terms_of(position: Position, situation: Situation) -> Terms | None:
    """A contract's rules and tiers in force; None where either is unknown."""
    now = TimeNs(situation.now)
    own = situation.contract(position) or Contract(instrument(position.venue, position.symbol))
    rules = rules_in_force(position.venue, position.symbol, now)
    tiers = tiers_in_force(own, now)
    return None if rules is None or tiers is None else Terms(rules, tiers)


def _terms(account: Account, situations: Mapping[str, Situation]) -> dict[str, Terms]:
    found: dict[str, Terms] = {}
    for position in account.positions:
        situation = situations.get(instrument(position.venue, position.symbol).base)
        terms = None if situation is None else terms_of(position, situation)
        if terms is not None:
            found[position.key] = terms
    return found


def _of_chain(
    account: Account, asset: str, situation: Situation, volatility: dict[str, float], forward: dict[str, float]
) -> list[str]:  # fmt: skip
    options = [each for each in account.options if each.base == asset]
    chain = newest_chain(situation.market, situation.now)
    if isinstance(chain, str):
        return [f"{asset} options: {chain}; the volatility stated with each stands in"]
    surface = surface_of(chain.quotes)
    if not surface.smiles:
        return [f"{asset} options: the chain of {chain.venue} gives no smile"]
    for each in options:
        found = _on_surface(surface, chain.index, each, situation.now)
        if found is not None:
            volatility[each.key], forward[each.key] = found
    return [f"{asset} options: volatility by the surface of {chain.venue}'s chain"]


def _on_surface(
    surface: Surface, index: float, option: OptionPosition, now: int
) -> tuple[float, float] | None:
    """Volatility and forward over index of an option; forwards are interpolated in logarithm by time."""
    years = (option.expiry - now) / YEAR_NS
    if not years > 0.0:
        return None
    times = np.array([smile.years for smile in surface.smiles])
    carry = np.log(np.array([smile.forward for smile in surface.smiles]) / index)
    ratio = math.exp(float(np.interp(years, times, carry)))
    k = math.log(option.strike / (index * ratio))
    return float(surface.volatility(k, years)), ratio

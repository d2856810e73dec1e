"""Exits through thinned books: what closing at market costs, and which exits do not come through."""

from dataclasses import dataclass

from msgspec import structs

from airpocket.cascade.records import Profile
from airpocket.domain.estimates import PERCENT, PRICE, USD, Estimate, lower_bound, unknown
from airpocket.playbook.exits import exit_profile, walk
from airpocket.playbook.ledger import PerpLeg
from airpocket.playbook.stress.bench import Bench
from airpocket.playbook.stress.records import Exit
from airpocket.playbook.valuation import value


def exits_of(bench: Bench) -> list[Exit]:
    """Every perpetual of the account's coin, after every move against it, at every depth."""
    own = [each for each in bench.ledger.perps if each.asset == bench.ledger.asset]
    return [
        exit_of(bench, each, after, gone)
        for each in own
        for after in bench.settings.exit_after_percent
        for gone in bench.settings.depth_gone_percent
    ]


def exit_of(bench: Bench, each: PerpLeg, after: float, gone: float, *, share: float = 1.0) -> Exit:
    """A share of one perpetual closed at market, `after` per cent against it, `gone` per cent of orders missing.

    The account is taken as it stands until then: nothing of it was closed on the way.
    """
    profile = exit_profile(bench.situation, each.position, each.mark)
    if isinstance(profile, str):
        return _unknown(each, after, gone, profile)
    price = bench.mark * (1.0 - each.leg.sign * after / 100.0)
    if not float(value(bench.ledger, price).surplus_usd) > 0.0:
        return _unknown(each, after, gone, "liquidated before: the venue closes it", works=False)
    return _walked(bench, each, profile, Order(price, share, after, gone))


@dataclass(frozen=True, slots=True)
class Order:
    """price: of the account's coin when it is sent. share: of the perpetual. after, gone: per cent."""

    price: float
    share: float
    after: float
    gone: float


def _walked(bench: Bench, each: PerpLeg, profile: Profile, order: Order) -> Exit:
    """The walk may go as far as the price at which the account's equity is spent."""
    sign, leg, price, gone = each.leg.sign, each.leg, order.price, order.gone
    mark = each.mark * price / bench.mark
    usd = order.share * (leg.quantity * mark if leg.form == "linear" else leg.quantity)
    end = bench.spent.down if sign > 0 else bench.spent.up
    reach = float("inf") if end is None else abs(end / price - 1.0)
    walked = walk(profile, usd, depth=1.0 - gone / 100.0, within=reach)
    cost = walked.cost_usd + (each.taker_fee or 0.0) * usd * walked.filled
    left = float(value(bench.ledger, price).equity_usd) - cost
    source = f"{profile.label}, {gone:g} % of it missing"
    if walked.filled < 1.0:
        bound = end is not None and reach < float(profile.distance[-1])
        why = (
            "the margin is spent before all is sold"
            if bound
            else "the orders known here end before"
        )
        why = why.replace("sold", "bought back") if sign < 0 else why
    else:
        why = "" if left > 0.0 else "it costs more than the equity"
    return Exit(
        position=each.position.key, after_percent=-sign * order.after, gone_percent=gone,
        cost=_unless_fee(each, bench.figure(cost, USD, source)),
        last=bench.figure(mark * (1.0 - sign * walked.last), PRICE, source),
        filled=bench.figure(100.0 * walked.filled, PERCENT, source),
        left=bench.figure(left, USD, source), works=walked.filled >= 1.0 and left > 0.0, why=why,
    )  # fmt: skip


def _unless_fee(each: PerpLeg, cost: Estimate) -> Estimate:
    """Without the venue's fee it is only a lower bound."""
    if each.taker_fee is not None:
        return cost
    told = f"{cost.source}; without the taker fee of {each.position.venue}, which is not known here"
    return lower_bound(structs.replace(cost, source=told))


def _unknown(
    each: PerpLeg, after: float, gone: float, why: str, *, works: bool | None = None
) -> Exit:
    return Exit(
        position=each.position.key, after_percent=-each.leg.sign * after, gone_percent=gone,
        cost=unknown(USD, why), last=unknown(PRICE, why), filled=unknown(PERCENT, why),
        left=unknown(USD, why), works=works, why=why,
    )  # fmt: skip

"""The trader's orders carried out on paper, each with what the plan said at that moment."""

from collections.abc import Iterable

from airpocket.drill.account import Account, Walk
from airpocket.drill.orders import Order
from airpocket.drill.outlook import Outlook
from airpocket.drill.records import Decision, Fill

FORCED, STOPPED = "the venue forced you out", "your stop"


class Desk:
    """Owns what was decided; carries orders out on one account."""

    def __init__(self, account: Account, hedge_venue: str) -> None:
        """Args: hedge_venue: where hedges are traded; '' where there is nowhere."""
        self._account, self._hedge_venue = account, hedge_venue
        self.decisions: list[Decision] = []
        self.said: list[str] = []  # since whoever shows it last took them

    def heard(self, fills: Iterable[Fill], mark: float) -> None:
        """What happened without an order: stops, and the venue's own doing."""
        for fill in fills:
            what = FORCED if fill.cause == "forced" else STOPPED
            self._decided(
                Decision(
                    at_s=fill.at_s, order=what, price=mark, distance_percent=None, forced_before=None, refused="",
                    did=_words(fill), plan="", consequence="", saved_usd=None,
                )
            )  # fmt: skip

    def obey(
        self, at_s: int, order: Order, mark: float, outlook: Outlook, walk: Walk, hedge_walk: Walk
    ) -> None:
        """Carry an order out, or say why not."""
        if order.what == "quit":
            return
        away, forced = self._account.distance_percent(mark), self._account.liquidation_price
        refused, did = self._carried(at_s, order, mark, walk, hedge_walk)
        self._decided(
            Decision(
                at_s=at_s, order=order.text, price=mark, distance_percent=away, forced_before=forced,
                refused=refused, did=did, plan=plan_words(outlook), consequence="", saved_usd=None,
            )
        )  # fmt: skip

    def take(self) -> list[str]:
        """What there is to tell since the last call."""
        found, self.said = self.said, []
        return found

    def _carried(
        self, at_s: int, order: Order, mark: float, walk: Walk, hedge_walk: Walk
    ) -> tuple[str, str]:
        """(why not, what was done); one of them is ''."""
        held = self._account
        if order.what in ("hedge", "unhedge"):
            return self._hedged(at_s, order, hedge_walk)
        if not held.open:
            return "nothing is held", ""
        if order.what in ("reduce", "close"):
            coin = held.size_coin if order.what == "close" else order.coin(held.size_coin)
            return self._told(held.reduce(at_s, coin, walk))
        if order.what == "margin":
            before = held.liquidation_price
            held.add_margin(order.usd)
            return (
                "",
                f"forced exit moved from {_price(before)} to {_price(held.liquidation_price)}",
            )
        if order.what == "unstop":
            count = len(held.stops)
            held.stops.clear()
            return ("", f"{count} stops taken back") if count else ("there is no stop", "")
        coin = order.coin(held.size_coin)
        stop = held.add_stop(order.price, coin, mark)
        beyond = (
            held.liquidation_price is not None
            and held.sign * (held.liquidation_price - stop.price) >= 0
        )
        note = "; it lies beyond your forced exit" if beyond else ""
        return (
            "",
            f"{coin:,.4g} rests at {stop.price:,.1f}, {stop.price / mark - 1:+.1%} from here{note}",
        )

    def _hedged(self, at_s: int, order: Order, walk: Walk) -> tuple[str, str]:
        held = self._account
        if not self._hedge_venue:
            return "this world has no second linear perpetual to hedge on", ""
        if order.what == "unhedge":
            if not held.hedge_coin:
                return "there is no hedge", ""
            return self._told(held.trade_hedge(at_s, -held.hedge_coin, walk))
        coin = order.coin(held.size_coin)
        sign = 1.0 if order.side == "long" else -1.0
        return self._told(held.trade_hedge(at_s, sign * coin, walk))

    def _told(self, fill: Fill | None) -> tuple[str, str]:
        if fill is None:
            return "the book gave nothing: the venue is halted or that side is empty", ""
        where = f" on {self._hedge_venue}" if fill.hedge else ""
        return "", _words(fill) + where

    def _decided(self, decision: Decision) -> None:
        self.decisions.append(decision)
        done = f"not done: {decision.refused}" if decision.refused else decision.did
        self.said.append(f"{decision.order}: {done}")


def plan_words(outlook: Outlook) -> str:
    """What the plan said, in a line: what fires, then the orders that it rests."""
    if outlook.plan is None:
        return f"no plan: {outlook.why_not}"
    parts = [f"{step.title}: {step.action}" for step in outlook.firing]
    for name, step in (("first third at", outlook.first), ("last stop at", outlook.stop)):
        price = None if step is None or step.price is None else step.price.value
        if price is not None:
            parts.append(f"{name} {price:,.1f}")
    if outlook.no_stop:
        parts.append(f"no stop is known: {outlook.no_stop}")
    return "; ".join(parts) or "nothing to do"


def _words(fill: Fill) -> str:
    verb = "bought" if fill.side == "buy" else "sold"
    realised = f", realised {fill.realised_usd:+,.0f} USD" if fill.realised_usd else ""
    return f"{verb} {fill.coin:,.4g} at {fill.price:,.1f}{realised}"


def _price(value: float | None) -> str:
    return "none" if value is None else f"{value:,.1f}"

"""Regenerates docs/plans-read: plans, hedges and stress tests of six positions, and what then followed.

    python scripts/plans_read.py STORE [DAY …]

DAY: only positions of these days, such as 2026-02-06. STORE holds the recorded data:
    airpocket import tests/real/mappings --root ../shared/data --store STORE
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from aftermath import After, Chains, Fill, Terms, fill_of, settled
from msgspec import structs

from airpocket.brief import hedge_page, markdown, plan_page, stress_page
from airpocket.delivery.answers import assessments_of, lake_at
from airpocket.delivery.hedging import Sources, hedges_of
from airpocket.domain.portfolio import account_with, accounts_of
from airpocket.domain.positions import Position
from airpocket.domain.units import DAY_NS, HOUR_NS, format_time, parse_time
from airpocket.ingest.accounts import read_positions
from airpocket.ingest.catalysts import read_catalysts
from airpocket.ingest.lake import Lake
from airpocket.market.bars import Bars, BarSeries
from airpocket.playbook.hedging.records import Hedge, HedgeSheet
from airpocket.playbook.plan import plan_for
from airpocket.playbook.records import Plan, Step
from airpocket.playbook.situation import Situation
from airpocket.playbook.stress.records import StressTest
from airpocket.playbook.stress.run import stress_of

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDER = DOCS / "plans-read"
PAGE = DOCS / "plans-read.md"
DAYS = ("2025-07-16T12:00Z", "2025-10-10T20:00Z", "2026-01-14T22:00Z", "2026-02-06T22:00Z")
HORIZON_D = 7.0
LOOKS_D = (1.0 / 24.0, 1.0, 3.0, 7.0, 14.0)
MARKS_D = (1.0, 3.0, 7.0)
_SEQUENCES = ("re_entry", "confirmation")


@dataclass(frozen=True, slots=True)
class Case:
    """One position with everything said of it and everything that followed."""

    plan: Plan
    sheet: HedgeSheet
    test: StressTest
    situation: Situation
    after: After
    chains: Chains
    cut: Plan | None  # of what is left once the first sentence is obeyed

    @property
    def position(self) -> Position:
        return self.plan.position

    @property
    def sign(self) -> float:
        return -1.0 if self.after.short else 1.0

    @property
    def end(self) -> int:
        return self.after.start + round(HORIZON_D * DAY_NS)

    def result(self, coins: float, price: float) -> float:
        """USD from the entry."""
        return self.sign * coins * (price - self.position.entry_price)

    def holding(self, plan: Plan, days: float = HORIZON_D) -> tuple[float, Fill | None]:
        """What a plan's position makes if nobody acts, and when it was liquidated."""
        end = self.after.start + round(days * DAY_NS)
        tells = {each.id: each.estimate.value for each in plan.margin.tells}
        price = tells.get("liquidation")
        gone = None if price is None else self.after.stop(price, end)
        size = plan.position.size_coin
        if gone is None:
            return self.result(size, self.after.close(days)), None
        unrealised = tells["unrealised"] or 0.0
        return unrealised - (tells["equity"] or 0.0), gone


def cases(store: Path, days: Sequence[str]) -> list[Case]:
    """Every position of the days, in the order of their files."""
    lake, found = lake_at(store), list[Case]()
    hours, fours = _bars(lake)
    calendar = read_catalysts(FOLDER / "catalysts.toml")
    for day in (each for each in DAYS if not days or each[:10] in days):
        file = FOLDER / f"{day[:10]}.toml"
        held, at = read_positions(file), parse_time(day)
        assessed = assessments_of(held, store, asof=day)["ETH"]
        situation = assessed.situation(calendar, held.portfolio_usd, held.volatility)
        tests = stress_of(held, {"ETH": situation}, {"ETH": assessed.pushes()})
        sheets = hedges_of(file, Sources(store, None, FOLDER / "catalysts.toml", day))
        chains = Chains(_quotes(lake, at))
        accounts = accounts_of(held)
        for position, sheet in zip(held.positions, sheets, strict=True):
            within = account_with(accounts, position)
            plan = plan_for(position, situation, within=within, cover=held.options, beside=held)
            test = next(each for each in tests if each.name == within.name)
            after = After(at, hours.since(at), fours, position.side == "short")
            found.append(
                Case(plan, sheet, test, situation, after, chains, _obeyed(plan, situation))
            )
    return found


def _obeyed(plan: Plan, situation: Situation) -> Plan | None:
    """The plan of what is left after closing what the first sentence asks, its margin kept."""
    whole = plan.position.size_coin
    cut = max(plan.gap_test.survivals[-1].reduce_coin.value or 0.0, plan.caps.cut_coin.value or 0.0)
    size = whole - cut
    if not cut or not size > 0.0:
        return None
    p = plan.position
    wallet = p.wallet_usd or p.size_coin * p.entry_price / (p.leverage_x or 1.0)
    return plan_for(
        structs.replace(p, size_coin=size, wallet_usd=wallet, leverage_x=None), situation
    )


def _bars(lake: Lake) -> tuple[Bars, Bars]:
    series = BarSeries()
    series.add(
        lake.read_batch("bar_1h", "binance_usdm", "ETHUSDT", start=parse_time("2025-03-07T00:00Z"))
    )
    return series.hours, series.four_hours


def _quotes(lake: Lake, at: int) -> pl.DataFrame:
    rows = lake.read("option_quote", "deribit", "ETH-OPTIONS", start=at - DAY_NS)
    usable = pl.col("usable_from").dt.epoch("ns").alias("usable_ns")
    return rows.filter(pl.col("usable_from").dt.epoch("ns") < at + 40 * DAY_NS).select(
        "instrument", "bid", "ask", "index_price", usable
    )


# ---- tables


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(each)} |" for each in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def usd(amount: float) -> str:
    return f"{'-' if amount < -0.5 else ''}{abs(amount):,.0f}"


def stamp(at: int) -> str:
    text = format_time(at)
    return f"{text[5:10]} {text[11:16]}"


def block(case: Case) -> str:
    """Everything of a case that is computed."""
    parts = [
        f"> {markdown.escape(case.plan.answer)}",
        f"[plan](plans-read/{_name(case)}-plan.md) · [hedges](plans-read/{_name(case)}-hedges.md) · "
        f"[stress](plans-read/{_name(case)}-stress.md)",
        "**What followed** (hourly bars of the perpetual):", _followed(case),
        "**What became of the orders**, within seven days or until they lapsed; dollars from the entry, no fees:",
        _orders(case), f"**Ways out, after {HORIZON_D:g} days:**", _ways(case),
        "**Hedges**, the sheet's own, held beside the whole position:", _hedges(case),
    ]  # fmt: skip
    return "\n\n".join(parts)


def _name(case: Case) -> str:
    return case.position.id.replace(" ", "-")


def _followed(case: Case) -> str:
    mark = case.plan.mark.value or 0.0
    rows: list[list[str]] = []
    for days in LOOKS_D:
        high, low = case.after.extremes(days)
        name = "1 h" if days < 1 else f"{days:g} d"
        prices = (high, low, case.after.close(days))
        rows.append([name, *(f"{p:,.0f} ({100 * (p / mark - 1):+.1f} %)" for p in prices)])
    gone = case.holding(case.plan, 14.0)[1]
    told = "not within 14 days" if gone is None else f"{stamp(gone.at - HOUR_NS)}, within the hour"
    return f"{table(('after', 'highest', 'lowest', 'close'), rows)}\n\nLiquidation price traded: {told}."


def _orders(case: Case) -> str:
    rows: list[list[str]] = []
    for step in (
        step for play in case.plan.plays for step in play.steps if step.size_coin is not None
    ):
        fill = fill_of(step, case.after, case.end)
        price = "at once" if step.price is None else f"{step.price.value or 0.0:,.0f}"
        size = step.size_coin.value or 0.0 if step.size_coin else 0.0
        if step.state in ("quiet", "armed", "unknown") and fill is None:
            continue
        if step.id in _SEQUENCES:
            rows.append([step.title, price, f"{size:,.5g}", "not judged: a sequence of bars", "-"])
            continue
        came = "no" if fill is None else f"{stamp(fill.at)} at {fill.price:,.0f}"
        closes = step.reduce_only and fill is not None
        made = usd(case.result(size, fill.price)) if closes and fill is not None else "-"
        rows.append([step.title, price, f"{size:,.5g}", came, made])
    return table(("step", "price", "size", "filled", "dollars"), rows)


def _ways(case: Case) -> str:
    held, gone = case.holding(case.plan)
    what = (
        "nothing done"
        if gone is None
        else f"nothing done: liquidated {stamp(gone.at - HOUR_NS)}, margin gone"
    )
    rows = [[what, usd(held)]]
    if case.cut is not None:
        rest, dead = case.holding(case.cut)
        freed = case.position.size_coin - case.cut.position.size_coin
        mark = case.plan.mark.value or 0.0
        end = "" if dead is None else f", the rest liquidated {stamp(dead.at - HOUR_NS)}"
        name = f"the first sentence obeyed: {freed:,.5g} closed at once{end}"
        rows.append([name, usd(rest + case.result(freed, mark))])
    rows += [[name, usd(_sequence(case, ids))] for name, ids in _sequences(case)]
    return table(("way", "dollars from the entry"), rows)


def _sequences(case: Case) -> list[tuple[str, tuple[str, ...]]]:
    if not case.after.short:
        targets = ("target_1", "target_2", "target_3", "stop")
        return [("the stop", ("stop",)), ("targets, behind them the stop", targets)]
    thirds = ("first_extension", "momentum", "hard_stop")
    found: list[tuple[str, tuple[str, ...]]] = [
        ("the thirds", thirds),
        ("the price invalidation, behind it the hard stop", ("price_invalidation", "hard_stop")),
    ]
    fires = any(
        s.state == "firing" for p in case.plan.plays for s in p.steps if s.id == "volatility_exit"
    )
    if fires:
        found.append(
            ("half at once by the volatility exit, then the thirds", ("volatility_exit", *thirds))
        )
    return found


def _sequence(case: Case, ids: Sequence[str]) -> float:
    """Orders filled in the order of time until nothing is left; what stays is valued at the end, or liquidated."""
    steps = {step.id: step for play in case.plan.plays for step in play.steps}
    fills = sorted(
        ((fill.at, at, fill, steps[name]) for at, name in enumerate(ids) if name in steps
         and (fill := fill_of(steps[name], case.after, case.end)) is not None),
        key=lambda each: each[:2],
    )  # fmt: skip
    left, made = case.position.size_coin, 0.0
    for _, _, fill, step in fills:
        coins = (
            left if step.rest else min(left, step.size_coin.value or 0.0 if step.size_coin else 0.0)
        )
        made += case.result(coins, fill.price) - _cost(step, coins)
        left -= coins
    return made + case.result(left, case.after.close(HORIZON_D))


def _cost(step: Step, coins: float) -> float:
    size = step.size_coin.value if step.size_coin else None
    whole = step.cost.value if step.cost else None
    return 0.0 if not size or whole is None else whole * coins / size


def _hedges(case: Case) -> str:
    found = case.sheet.hedges
    options = [each for each in found if each.legs and each.legs[0].volatility is not None]
    if not options:
        return "None made of options holds every row."
    seen: set[tuple[tuple[str, float | None], ...]] = set()
    rows: list[list[str]] = []
    for each in options:
        key = tuple((leg.name, leg.size.value) for leg in each.legs)
        if key not in seen:
            seen.add(key)
            rows.append(_hedge_row(case, each))
    marks = [f"gain after {days:g} d" for days in MARKS_D]
    return table(("hedge", "cost", *marks, "at the last expiry", "position alone then"), rows)


def _hedge_row(case: Case, hedge: Hedge) -> list[str]:
    cost = hedge.cost.value or 0.0 if hedge.cost else 0.0
    days = max(leg.days or 0.0 for leg in hedge.legs)
    terms = _terms(case, hedge)
    cells = [_marked(case, hedge, terms, mark, cost) for mark in MARKS_D]
    then = case.holding(case.plan, days)[0]
    gained = usd(settled(hedge.legs, terms) - cost)
    return [hedge.title, usd(cost), *cells, f"{gained} ({case.after.close(days):,.0f})", usd(then)]


def _marked(case: Case, hedge: Hedge, terms: dict[str, Terms], mark: float, cost: float) -> str:
    """What the hedge has gained after `mark` days: expired legs as settled, the others taken back."""
    if case.sheet.chain is None:
        return "no chain"
    gone = [leg for leg in hedge.legs if (leg.days or 0.0) <= mark]
    if len(gone) == len(hedge.legs):
        return "expired"
    left = [leg for leg in hedge.legs if leg not in gone]
    value = case.chains.value(left, case.after.start + round(mark * DAY_NS))
    return value if isinstance(value, str) else usd(value + settled(gone, terms) - cost)


def _terms(case: Case, hedge: Hedge) -> dict[str, Terms]:
    """Of Deribit's names (ETH-30JAN26-3100-P) or a sketch's (put 3,100 of 30 Jan 2026)."""
    found: dict[str, Terms] = {}
    for leg in hedge.legs:
        price = case.after.close(leg.days or 0.0)
        if case.sheet.chain is None:
            kind, strike = leg.name.split(" ")[:2]
            found[leg.name] = Terms(float(strike.replace(",", "")), kind == "call", price)
        else:
            strike, kind = leg.name.split("-")[2:]
            found[leg.name] = Terms(float(strike), kind == "C", price)
    return found


# ---- files


def write(case: Case) -> None:
    """The three pages of a case."""
    plan, sheet, test = case.plan, case.sheet, case.test
    for kind, answer, line, parts in (
        ("plan", plan.answer, plan_page.head_line(plan), plan_page.parts(plan)),
        ("hedges", sheet.answer, hedge_page.head_line(sheet), hedge_page.parts(sheet)),
        ("stress", test.answer, stress_page.head_line(test), stress_page.parts(test)),
    ):
        text = markdown.sheet(answer, line, parts, simulated=False)
        (FOLDER / f"{_name(case)}-{kind}.md").write_text(text, encoding="utf-8")


def main() -> int:
    """Write every page, and the computed parts of docs/plans-read.md between their marks."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    page = PAGE.read_text(encoding="utf-8")
    for case in cases(Path(sys.argv[1]), sys.argv[2:]):
        write(case)
        name = _name(case)
        marks = re.compile(rf"(<!-- {name}: computed -->\n).*?(<!-- end -->)", re.DOTALL)
        if not marks.search(page):
            print(f"{PAGE.name} has no place for {name}", file=sys.stderr)
            return 1
        text = block(case)
        page = marks.sub(lambda found, text=text: f"{found[1]}\n{text}\n\n{found[2]}", page)
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

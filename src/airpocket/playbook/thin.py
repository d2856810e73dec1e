"""The plan's exits under degraded liquidity: each walked through books that have thinned by then (M39)."""

from collections.abc import Sequence

from airpocket.playbook.account import Account
from airpocket.playbook.exits import exit_profile
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Play, Step, ThinBooks, ThinExit
from airpocket.playbook.stress.bench import Bench
from airpocket.playbook.stress.exits import exit_of
from airpocket.playbook.stress.records import Exit
from airpocket.playbook.stress.settings import StressSettings
from airpocket.playbook.thresholds import thresholds

GONE = (50.0, 80.0, 95.0)  # per cent of all resting orders
# exits that take from the book; targets and the limit of an OCO rest in it
_TAKES = (
    "close_now",
    "first_extension",
    "momentum",
    "hard_stop",
    "price_invalidation",
    "stop",
    "trail",
)
ALONE = "Each exit by itself, the account as it stands until then; a stop with all that could be left by then."


def thin_books(ground: Ground, plays: Sequence[Play]) -> ThinBooks:
    """Every exit at a price, at every thinning, by the stress test's own walk."""
    account = ground.account
    if account is None:
        return ThinBooks(unknown=ground.no_account, rows=[], notes=[])
    profile = exit_profile(ground.situation, ground.position, ground.price)
    if isinstance(profile, str):
        return ThinBooks(unknown=profile, rows=[], notes=[])
    steps = [step for play in plays for step in play.steps if _takes(step)]
    bench = bench_of(ground, account)
    rows = [_row(ground, account, bench, step) for step in steps]
    walked = f"Walked through {profile.label}."
    if profile.kind != "book":
        walked += (
            " The law is of orders worked with patience: one sent at once into a gap fills worse."
        )
    return ThinBooks(unknown=None, rows=rows, notes=[_verdict(rows), ALONE, walked])


def bench_of(ground: Ground, account: Account) -> Bench:
    """The account as the stress test takes it."""
    ledger = account.ledger
    return Bench(
        ledger, ground.situation, StressSettings(), thresholds(ledger), thresholds(ledger, multiple=0.0),
        ground.mark.as_of or ground.situation.now,
    )  # fmt: skip


def _takes(step: Step) -> bool:
    """A trailing stop that is not in force is no exit yet."""
    return step.id in _TAKES and step.size_coin is not None and step.state != "quiet"


def _row(ground: Ground, account: Account, bench: Bench, step: Step) -> ThinExit:
    whole = ground.position.size_coin
    size = whole if step.rest or step.size_coin is None else step.size_coin.value or whole
    price = ground.mark if step.price is None else step.price
    after = ground.structure.away(price.value or ground.price) / ground.price * 100.0
    exits = [exit_of(bench, account.leg, after, gone, share=size / whole) for gone in GONE]
    return ThinExit(
        step=step.id, title=step.title, size_coin=ground.coins(size), price=price, exits=exits
    )


def _verdict(rows: list[ThinExit]) -> str:
    every = [(row, each) for row in rows for each in row.exits]
    failed = [(row, each) for row, each in every if each.works is False]
    if not failed:
        return f"Every exit comes through with {GONE[-1]:g} % of the orders gone."
    worst = {row.step: (row, each) for row, each in reversed(failed)}
    told = "; ".join(f"{row.title} {_why(each)}" for row, each in reversed(worst.values()))
    return (
        f"{len(worst)} of {len(rows)} exits fail: {told}. Close earlier or smaller, or add margin."
    )


def _why(each: Exit) -> str:
    return f"with {each.gone_percent:g} % gone ({each.why})"

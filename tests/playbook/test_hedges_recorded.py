"""Hedges of recorded Deribit chains: no tail sold, every row held by the account's own valuation."""

import numpy as np
import pytest
from playbook.accounts_made import balance, ledger, perp
from playbook.test_hedge_accounts import with_hedge
from playbook.test_hedges import asked, optimum, payoff

from airpocket.domain.units import parse_time
from airpocket.ingest.chain_file import read_chain
from airpocket.market.options.chain import newest_chain
from airpocket.market.state import MarketState
from airpocket.playbook.hedging.backing import valued_by
from airpocket.playbook.hedging.candidates import candidates_of
from airpocket.playbook.hedging.choose import Chosen
from airpocket.playbook.hedging.lots import tradable
from airpocket.playbook.hedging.settings import HedgeSettings
from airpocket.playbook.valuation import value
from conftest import shared_root

PLAIN = HedgeSettings(vol_shifts=(0.0,), standard_margin=True)


def recorded(moment):
    """The chain of a moment, as candidates."""
    now = parse_time(moment)
    state = MarketState("ETH")
    path = shared_root() / "data" / "znmahbub_deribit_chain" / "eth_chain.parquet"
    state.apply(read_chain(path, "ETH", now))
    return candidates_of(newest_chain(state.snapshot(now), now), "ETH", now)


@pytest.mark.real
@pytest.mark.parametrize("moment", ["2026-01-14T22:00Z", "2026-02-06T22:00Z", "2026-03-05T22:00Z"])
def test_recorded_chains_give_hedges_that_hold(moment):
    found = recorded(moment)
    price, solved = found.index, 0
    for side, leverage in (("short", 8.0), ("long", 6.0)):
        held = ledger(
            perp(side, 500.0, entry_price=price), balance(500.0 * price / leverage), mark=price,
            now=found.now,
        )  # fmt: skip
        question = asked(
            side, found=None, settings=PLAIN, candidates=found, now=found.now, valued=valued_by(held, PLAIN),
            price=found.index_estimate,
        )  # fmt: skip
        for name in ("ladder", "spread", "free"):
            task, linear = optimum(question, name)
            if not isinstance(linear, Chosen):
                continue
            solved += 1
            whole = tradable(task, linear)
            assert isinstance(whole, Chosen)
            assert whole.held <= linear.held + 2e-3 * 500.0 * price
            _check(task, whole, held, side)
    assert solved >= 4


def _check(task, whole, held, side):
    kind = "call" if side == "short" else "put"
    for expiry in np.unique(task.candidates.expiry):
        for price in np.geomspace(50.0, 50_000.0, 40):
            assert payoff(task, whole.coins, expiry, price, kind) >= -1e-2
    kept, rows = task.rows.kept, task.rows
    account = with_hedge(held, task, whole.coins)
    then = value(account, held.mark * (1.0 + rows.move[kept]), rows.shift[kept], rows.days[kept])
    over = then.worth_usd - task.settings.buffer * then.maintenance_usd
    assert over.min() >= -1e-4 * 500.0 * held.mark

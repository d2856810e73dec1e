"""Accounts and loans in the store: there and back the same, as of a moment, and importable from a table."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.delivery.cli import main
from airpocket.domain.accounts import AccountState, Holding, number_of
from airpocket.domain.errors import BadInput
from airpocket.domain.units import DAY_NS, HOUR_NS, parse_time
from airpocket.ingest.census.stored import account_table, accounts_of, answers_through, loans_of
from airpocket.ingest.lake import Lake, Table
from airpocket.ingest.tables import checked
from airpocket.liquidations.exact import loan_liquidation

NOW = parse_time("2026-06-01T12:00Z")
POSITIVE = st.one_of(st.none(), st.floats(1e-9, 1e12))
HOLDINGS = st.builds(
    Holding, symbol=st.sampled_from(["ETH", "BTC", "kPEPE", "xyz:GOLD"]),
    size_coin=st.floats(-1e9, 1e9).filter(lambda x: abs(x) > 1e-9), mark=st.floats(1e-9, 1e12),
    backing=st.sampled_from(["cross", "isolated"]), cash_usd=st.floats(-1e12, 1e12), entry_price=POSITIVE,
    leverage_x=POSITIVE, max_leverage_x=POSITIVE, liquidation_price=POSITIVE,
)  # fmt: skip
STATES = st.lists(
    st.lists(HOLDINGS, max_size=4, unique_by=lambda h: h.symbol), min_size=1, max_size=6
)


def state(name, held=(), at=NOW):
    return AccountState(
        venue="hyperliquid", account=name, ts=at, usable_from=at + 1_000, holdings=tuple(held)
    )


@given(STATES)
def test_states_pass_the_store_s_door_and_come_back_as_they_were(held):
    states = [state(f"0x{k}", sorted(each, key=lambda h: h.symbol)) for k, each in enumerate(held)]
    table = account_table("hyperliquid", states, "made")
    rows = checked(table)
    assert len(rows) == sum(max(len(each), 1) for each in held)
    from airpocket.ingest.census import stored

    assert stored._states("hyperliquid", rows) == states


def test_each_account_is_as_it_was_last_told_by_then(tmp_path):
    lake = Lake(tmp_path)
    eth = Holding(symbol="ETH", size_coin=1.0, mark=3_000.0, backing="cross", cash_usd=5.0)
    told = [
        state("a", [eth], NOW - 2 * HOUR_NS),
        state("a", [], NOW),
        state("b", [eth], NOW - 5 * DAY_NS),
    ]
    lake.write([account_table("hyperliquid", told, "made")])
    assert accounts_of(lake, NOW + HOUR_NS) == [told[1]]
    assert accounts_of(lake, NOW - HOUR_NS) == [told[0]]
    assert accounts_of(lake, NOW) == [told[0]]  # heard a moment later
    assert accounts_of(lake, NOW + HOUR_NS, since=0) == [told[1], told[2]]
    assert accounts_of(Lake(tmp_path / "none"), NOW) == []


def test_of_each_hour_the_last_answer_comes_back_flat_ones_too(tmp_path):
    lake = Lake(tmp_path)
    eth = Holding(
        symbol="ETH", size_coin=-1.0, mark=3e3, backing="cross", cash_usd=5.0, liquidation_price=4e3
    )
    more = Holding(symbol="ETH", size_coin=-2.0, mark=3e3, backing="cross", cash_usd=5.0)
    told = [
        state("a", [eth], NOW - 2 * HOUR_NS - 1_000),  # heard at the whole hour
        state("a", [more], NOW - 2 * HOUR_NS + 60_000_000_000),
        state("a", [eth], NOW - 2 * HOUR_NS + 120_000_000_000),
        state("a", [], NOW),
    ]
    lake.write([account_table("hyperliquid", told, "made")])
    (found,) = answers_through(lake, NOW + HOUR_NS, NOW - DAY_NS)
    assert found.account.tolist() == [number_of("hyperliquid", "a")] * 3
    assert found.heard.tolist() == [told[k].usable_from for k in (0, 2, 3)]
    eth = number_of("hyperliquid", "ETH")
    assert found.contract.tolist() == [eth, eth, 0]
    assert found.size_coin.tolist() == [-1.0, -1.0, 0.0]
    assert found.price[:2].tolist() == [4e3, 4e3]
    (early,) = answers_through(lake, NOW - HOUR_NS, NOW - DAY_NS)
    assert early.contract.tolist() == [eth, eth]


def test_a_row_that_no_account_can_have_is_named(tmp_path):
    lake = Lake(tmp_path)
    eth = Holding(symbol="ETH", size_coin=1.0, mark=3_000.0, backing="cross", cash_usd=5.0)
    table = account_table("hyperliquid", [state("a", [eth])], "made")
    for column, said in (
        ("mark", "has no mark"),
        ("size_coin", "size_coin must be a number other"),
    ):
        value = None if column == "mark" else 0.0
        broken = table.frame.with_columns(pl.lit(value, dtype=pl.Float64).alias(column))
        lake = Lake(tmp_path / column)
        lake.write([Table("account", "hyperliquid", "ACCOUNTS", broken)])
        with pytest.raises(BadInput, match=f"hyperliquid account a, ETH: {said}"):
            accounts_of(lake, NOW + HOUR_NS)


LOANS = """protocol,account,at,collateral,debt,threshold,other_debt
aave_v3,0x01,2026-06-01T10:00:00Z,10,0,0.83,16600
aave_v3,0x02,2026-06-01T10:00:00Z,0,4,0.80,0
"""
MAPPING = """
source = "my_loans"
licence = "mine"

[[table]]
file = "loans.csv"
kind = "loan"
venue = "lending"
symbol = "ETH"
time = { column = "at", unit = "iso" }
usable = "ts + 1m"
[table.columns]
protocol = "protocol"
account = "account"
collateral_coin = "collateral"
debt_coin = "debt"
threshold = "threshold"
other_collateral_usd = { constant = 16000.0 }
other_debt_usd = "other_debt"
close_share = { constant = 0.5 }
"""


def test_loans_come_in_by_a_mapping(tmp_path, capsys):
    (tmp_path / "loans.csv").write_text(LOANS)
    (tmp_path / "loans.toml").write_text(MAPPING)
    store = tmp_path / "store"
    words = ["import", str(tmp_path / "loans.toml"), "--root", str(tmp_path), "--store", str(store)]
    assert main(words) == 0, capsys.readouterr().err
    long, short = loans_of(Lake(store), "ETH", NOW)
    assert loan_liquidation(long) == ("long", 5.0, pytest.approx(600.0 / 8.3))
    assert loan_liquidation(short) == ("short", 2.0, pytest.approx(4_000.0))
    assert loans_of(Lake(store), "ETH", parse_time("2026-06-01T10:00:30Z")) == []
    assert loans_of(Lake(store), "BTC", NOW) == []

"""What Hyperliquid answers of an account: recorded, documented and broken answers."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.accounts import AccountState, Holding
from airpocket.domain.errors import UndecodableFrame
from airpocket.ingest.values import BadValue
from airpocket.ingest.venues.hyperliquid.accounts import (
    address_of,
    ask_account,
    read_account,
    read_leaderboard,
    read_users,
    read_vaults,
)
from airpocket.liquidations.exact import liquidation_of, price_now
from airpocket.margin.tiers import table_from

HEARD = 1_800_000_000_000_000_000
ADDRESS = "0x" + "5e" * 20


def state(positions=(), *, value="1000.0", time=1_790_000_000_000):
    return json.dumps(
        {"assetPositions": [{"type": "oneWay", "position": p} for p in positions],
         "crossMarginSummary": {"accountValue": value, "totalNtlPos": "0", "totalRawUsd": "0"},
         "time": time}
    ).encode()  # fmt: skip


def position(**changes):
    """The documented shape of a position."""
    told = {
        "coin": "ETH", "szi": "0.0335", "entryPx": "2986.3", "positionValue": "100.02765",
        "leverage": {"type": "isolated", "value": 20, "rawUsd": "-95.059824"}, "marginUsed": "4.967826",
        "liquidationPx": "2866.26936529", "maxLeverage": 50, "unrealizedPnl": "-0.0134",
        "returnOnEquity": "-0.0026", "cumFunding": {"allTime": "514.085417"},
    }  # fmt: skip
    return {**told, **changes}


def test_the_documented_isolated_position_is_liquidated_where_the_venue_says():
    found = read_account(state([position()]), ADDRESS, HEARD)
    (held,) = found.holdings
    assert (held.side, held.backing, held.cash_usd) == ("long", "isolated", -95.059824)
    assert held.mark == pytest.approx(100.02765 / 0.0335)
    tiers = table_from("hyperliquid", "ETH", 0, "documented", {"floor": (0.0,), "mmr": (0.01,)})
    assert liquidation_of(found, held, {}, lambda *_: tiers) == pytest.approx(
        2866.26936529, rel=1e-6
    )


@pytest.mark.real
def test_a_recorded_account_of_twelve_cross_positions_is_liquidated_where_the_venue_said(shared):
    """Every price and every null of 2023, when maintenance was 0.75 % of every contract."""
    text = (shared / "wire/hyperliquid-python-sdk/test_get_user_state.yaml").read_text()
    body = re.search(r"string: '(\{.*\})'", text)[1].encode()
    found = read_account(body, ADDRESS, HEARD)
    assert len(found.holdings) == 12
    flat = table_from("hyperliquid", "any", 0, "of 2023", {"floor": (0.0,), "mmr": (0.0075,)})
    told = {h.symbol: h.liquidation_price for h in found.holdings}
    assert sum(price is None for price in told.values()) == 7
    for held in found.holdings:
        computed = liquidation_of(found, held, {}, lambda *_: flat)
        if told[held.symbol] is None:
            assert computed is None
        else:
            assert computed == pytest.approx(told[held.symbol], rel=5e-5)
        assert price_now(found, held, {}, lambda *_: flat)[1] is False


@pytest.mark.real
def test_a_recorded_account_without_positions_is_flat(shared):
    path = (
        shared
        / "wire/nautilus_trader/hyperliquid/http_clearinghouse_state_negative_total_raw_usd.json"
    )
    found = read_account(path.read_bytes(), ADDRESS, HEARD)
    assert (found.holdings, found.ts) == ((), 1_700_000_000_000_000_000)


def test_a_cross_account_is_backed_by_all_of_it():
    """Cash is what is left of the account's value when every cross position is taken out at its mark."""
    cross = {"type": "cross", "value": 10}
    legs = [
        position(leverage=cross, szi="2", positionValue="6000", liquidationPx=None),
        position(
            coin="BTC", leverage=cross, szi="-0.1", positionValue="9000", liquidationPx="100000"
        ),
        position(coin="SOL", szi="10", positionValue="2000"),
    ]
    found = read_account(state(legs, value="4000"), ADDRESS, HEARD)
    assert [each.cash_usd for each in found.holdings] == [7_000.0, 7_000.0, -95.059824]
    assert [each.liquidation_price for each in found.holdings] == [None, 100_000.0, 2866.26936529]


def test_closed_positions_that_stay_listed_and_times_ahead_of_ours():
    found = read_account(state([position(szi="0.0", positionValue="0.0")]), ADDRESS, HEARD)
    assert found.holdings == ()
    early = 1_789_999_999_000_000_000
    assert read_account(state(), ADDRESS, early).ts == early
    assert read_account(state(time=0), ADDRESS, HEARD).ts == HEARD


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{}", b"<html>", b"[" * 9_000,
        state([position(szi="NaN")]), state([position(szi="1_0")]), state([position(positionValue="0")]),
        state([position(liquidationPx="-5")]), state([position(liquidationPx="0")]),
        state([position(leverage={"type": "portfolio", "value": 3})]), state([position(entryPx="")]),
        state([position(coin="x" * 99)]), state(value="much"), state(time=5),
        state([position(leverage={"type": "cross", "value": 0})]), state([position()])[:-9],
    ],
)  # fmt: skip
def test_answers_of_another_shape_are_refused_with_their_beginning(body):
    with pytest.raises(UndecodableFrame, match=r"hyperliquid: .*the answer begins"):
        read_account(body, ADDRESS, HEARD)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body):
    for read in (lambda: read_account(body, ADDRESS, HEARD), lambda: read_users(body),
                 lambda: read_leaderboard(body), lambda: read_vaults(body)):  # fmt: skip
        try:
            read()
        except UndecodableFrame:
            continue


def test_users_are_met_in_trades_live_and_asked():
    rows = [{"coin": "ETH", "users": ["0x" + "A" * 40, "0x" + "0" * 40], "px": "1"},
            {"coin": "ETH", "users": ["0x" + "a" * 40, "0x" + "b" * 40]}, {"coin": "ETH"}]  # fmt: skip
    want = ["0x" + "a" * 40, "0x" + "b" * 40]
    assert read_users(json.dumps({"channel": "trades", "data": rows}).encode()) == want
    assert read_users(json.dumps(rows).encode()) == want
    assert read_users(b'{"channel":"l2Book","data":{}}') == []


@pytest.mark.real
def test_users_are_met_in_recorded_trades(shared):
    lines = (shared / "wire/live-2026/hyperliquid.jsonl").read_text().splitlines()
    trades = [line for line in lines if '"trades"' in line and '"users"' in line]
    assert trades
    for line in trades:
        frame = json.loads(line)
        body = frame if "channel" in frame else frame.get("frame", frame.get("body"))
        text = body if isinstance(body, str) else json.dumps(body)
        users = read_users(text.encode())
        assert users
        assert all(address_of(user) == user for user in users)


def test_the_leaderboard_and_the_vaults_come_richest_first():
    rows = [
        {"ethAddress": "0x" + c * 40, "accountValue": v} for c, v in (("a", "5"), ("b", "70.5"))
    ]
    assert read_leaderboard(json.dumps({"leaderboardRows": rows}).encode()) == [
        "0x" + "b" * 40, "0x" + "a" * 40,
    ]  # fmt: skip
    vaults = [{"summary": {"vaultAddress": "0x" + c * 40, "tvl": v, "isClosed": shut}}
              for c, v, shut in (("a", "1", False), ("b", "2", True), ("c", "3", False))]  # fmt: skip
    assert read_vaults(json.dumps(vaults).encode()) == ["0x" + "c" * 40, "0x" + "a" * 40]


def test_an_address_is_forty_hexadecimal_digits():
    assert address_of(" 0x" + "AB" * 20 + "\n") == "0x" + "ab" * 20
    for wrong in ("", "0x12", "5e" * 20, "0x" + "g" * 40):
        with pytest.raises(BadValue, match="no address"):
            address_of(wrong)
    assert json.loads(ask_account(ADDRESS).body) == {"type": "clearinghouseState", "user": ADDRESS}
    assert ask_account(ADDRESS).weight == 2


def held(**changes):
    told = {
        "symbol": "ETH",
        "size_coin": 1.0,
        "mark": 3_000.0,
        "backing": "isolated",
        "cash_usd": -2_700.0,
    }
    return Holding(**{**told, **changes})


@pytest.mark.parametrize(
    "wrong",
    [{"size_coin": 0.0}, {"size_coin": np.nan}, {"mark": 0.0}, {"mark": np.inf}, {"cash_usd": np.nan},
     {"liquidation_price": 0.0}, {"entry_price": -1.0}],
)  # fmt: skip
def test_a_holding_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        held(**wrong)


def test_a_holding_is_found_by_its_contract():
    account = AccountState(venue="v", account="a", ts=1, usable_from=1, holdings=(held(),))
    assert account.holding("ETH").side == "long"
    assert account.holding("BTC") is None
    assert held(size_coin=-1.0).side == "short"

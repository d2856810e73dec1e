"""Accounts read from recorded shapes: what is held, what a key may do, and what never leaves."""

import json

import pytest
from ingest.own.private_venue import (
    AT_MS,
    BYBIT_COINS,
    BYBIT_INVERSE,
    BYBIT_OPTION,
    KEY,
    SECRET,
    Wire,
    asker,
    binance,
    bybit,
    credentials,
    deribit,
    hyperliquid,
    okx,
    world,
)
from playbook.accounts_made import terms_of

from airpocket.domain.errors import BadInput, UndecodableFrame, VenueRefused
from airpocket.domain.portfolio import accounts_of
from airpocket.ingest.accounts import read_positions
from airpocket.ingest.own.read import read_account
from airpocket.ingest.own.scope import check_scope, scope_of
from airpocket.ingest.own.venues import holdings_of
from airpocket.ingest.own.written import as_file
from airpocket.margin.tiers import table_from
from airpocket.playbook.ledger import Marks, ledger_of
from airpocket.playbook.valuation import value

VENUES = {
    "binance_usdm": binance, "bybit_linear": bybit, "okx": okx, "deribit": deribit, "hyperliquid": hyperliquid
}  # fmt: skip


def whole_bybit(mode="REGULAR_MARGIN", **changes):
    kinds = {"inverse": [BYBIT_INVERSE], "option": [BYBIT_OPTION], "coins": BYBIT_COINS}
    return bybit(mode, **{**kinds, **changes})


def kept(held, folder):
    """The same holdings by way of a position file."""
    path = folder / "mine.toml"
    path.write_text(as_file(held, "account x"))
    return read_positions(path)


def equity(account, contract, coin, volatility=0.7):
    """As the venue counts it, USD."""
    marks = Marks(
        now=int(AT_MS) * 10**6, contract=contract, coin=coin,
        volatility={each.key: volatility for each in account.options},
    )  # fmt: skip
    tiers = table_from("x", "y", 0, "made", {"floor": (0.0,), "mmr": (0.01,)})
    ledger = ledger_of(account, "ETH", marks, terms_of(*account.positions, schedule=tiers))
    return float(value(ledger, coin["ETH"]).equity_usd), ledger


def test_binance_cross_and_isolated_positions() -> None:
    held = holdings_of("binance_usdm", asker(binance()))
    eth, sol = held.positions
    assert (eth.side, eth.size_coin, eth.entry_price, eth.margin_mode) == (
        "short",
        500.0,
        2010.25,
        "cross",
    )
    assert eth.wallet_usd is None
    assert (sol.margin_mode, sol.wallet_usd, sol.opened_at) == (
        "isolated",
        1000.0,
        int(AT_MS) * 10**6,
    )
    assert [(b.currency, b.amount) for b in held.balances] == [("USDT", 125_000.0)]
    assert [each.mode for each in accounts_of(held)] == ["isolated", "cross"]


@pytest.mark.parametrize(
    ("mode", "want", "wallet"),
    [("REGULAR_MARGIN", "cross", None), ("PORTFOLIO_MARGIN", "portfolio", None),
     ("ISOLATED_MARGIN", "isolated", 5100.0)],
)  # fmt: skip
def test_bybit_takes_its_margin_mode_from_the_account(mode, want, wallet) -> None:
    held = holdings_of("bybit_linear", asker(bybit(mode)))
    (eth,) = held.positions
    assert (eth.side, eth.size_coin, eth.margin_mode, eth.wallet_usd) == (
        "short",
        50.0,
        want,
        wallet,
    )
    free = 20_000.5 - (wallet or 0.0)
    assert [(b.currency, b.amount) for b in held.balances] == [("USDT", free)]


def test_one_wallet_backs_all_of_bybits_unified_account(tmp_path) -> None:
    """A short, an inverse long, a written option; 20,000 USDT and half a bitcoin owed, ether that backs nothing."""
    held = kept(holdings_of("bybit_linear", asker(whole_bybit())), tmp_path)
    linear, inverse = held.positions
    assert (linear.key, inverse.key) == ("bybit_linear:ETHUSDT", "bybit_inverse:ETHUSD")
    assert (inverse.side, inverse.size_coin) == ("long", 50.0)
    (call,) = held.options
    assert (call.venue, call.side, call.size_coin, call.strike, call.quote) == (
        "bybit_options",
        "short",
        30.0,
        2400.0,
        "USDT",
    )
    (account,) = accounts_of(held)
    assert (account.name, account.venue, account.mode) == ("bybit", "bybit", "cross")
    prices = {"bybit_linear:ETHUSDT": 2_010.0, "bybit_inverse:ETHUSD": 2_010.0}
    found, ledger = equity(account, prices, {"ETH": 2_010.0, "BTC": 70_000.0}, volatility=1e-6)
    short = -50.0 * 10.0
    long = 100_000.0 * (1.0 / 2_000.0 - 1.0 / 2_010.0)  # in ether, which is no collateral here
    assert ledger.balances == {"USDT": 200_000.0, "BTC": -0.5, "ETH": 10.0}
    assert found == pytest.approx(200_000.0 + short - 0.5 * 70_000.0, abs=1e-6)
    counted = float(value(ledger, 2_010.0).worth_usd)
    assert counted == pytest.approx(found + (10.0 + long) * 2_010.0, abs=1e-6)


def test_isolated_margin_is_not_in_the_wallet_twice() -> None:
    answers = whole_bybit("ISOLATED_MARGIN", option=[], coins=[
        {"coin": "USDT", "walletBalance": "20000"}, {"coin": "ETH", "walletBalance": "12"}])  # fmt: skip
    held = holdings_of("bybit_linear", asker(answers))
    assert [p.wallet_usd for p in held.positions] == [5_100.0, 5.0 * 2_010.0]
    assert [(b.currency, b.amount) for b in held.balances] == [("USDT", 14_900.0), ("ETH", 7.0)]


def test_borrowed_coin_lowers_the_equity_of_the_account_that_was_read(tmp_path) -> None:
    """OKX: 250,000 USDT and half a bitcoin owed; the isolated position's coin is its own."""
    held = kept(holdings_of("okx", asker(okx())), tmp_path)
    assert [(b.currency, b.amount) for b in held.balances] == [("USDT", 250_000.0), ("BTC", -0.5)]
    shared = next(each for each in accounts_of(held) if each.mode == "cross")
    found, _ = equity(shared, {"okx:ETH-USDT-SWAP": 2_010.0}, {"ETH": 2_010.0, "BTC": 70_000.0})
    assert found == pytest.approx(250_000.0 - 500.0 * 10.0 - 0.5 * 70_000.0, abs=1e-6)


def test_hyperliquid_is_read_by_a_public_address(tmp_path) -> None:
    held = kept(holdings_of("hyperliquid", asker(hyperliquid())), tmp_path)
    eth, sol = held.positions
    assert (eth.side, eth.size_coin, eth.entry_price, eth.margin_mode) == (
        "short",
        50.0,
        2_000.0,
        "cross",
    )
    assert (sol.margin_mode, sol.wallet_usd) == ("isolated", 900.0)  # 9,000 bought, 8,100 owed
    assert [(b.currency, b.amount) for b in held.balances] == [("USDC", 25_000.0)]
    shared = next(each for each in accounts_of(held) if each.mode == "cross")
    found, _ = equity(shared, {"hyperliquid:ETH": 2_010.0}, {"ETH": 2_010.0})
    assert found == pytest.approx(24_500.0)  # what the venue calls the account's value


def test_okx_counts_contracts_and_isolated_coin() -> None:
    held = holdings_of("okx", asker(okx()))
    eth, btc = held.positions
    assert (eth.side, eth.size_coin, eth.margin_mode) == ("short", 500.0, "cross")
    assert (btc.side, btc.size_coin) == ("long", pytest.approx(700 * 100 / 70_000))
    assert btc.wallet_usd == pytest.approx(0.2 * 69_000)
    assert (held.options[0].size_coin, held.options[0].strike, held.options[0].linear) == (
        30.0,
        2400.0,
        False,
    )
    assert [(b.currency, b.amount) for b in held.balances] == [("USDT", 250_000.0), ("BTC", -0.5)]
    both = holdings_of(
        "okx", asker(okx(posSide="short", pos="20", mgnMode="isolated", margin="900", level="4"))
    )
    assert both.positions[0].side == "short"
    assert both.options[0].margin_mode == "portfolio"


def test_deribit_sizes_are_usd_for_inverse_perpetuals_and_coin_for_options() -> None:
    held = holdings_of("deribit", asker(deribit(portfolio=True)))
    (perp,), (call,) = held.positions, held.options
    assert (perp.side, perp.size_coin, perp.margin_mode) == ("short", 500.0, "portfolio")
    assert (call.side, call.size_coin, call.entry_price) == ("long", 300.0, 0.031)
    assert [(b.currency, b.amount) for b in held.balances] == [("ETH", 60.0)]


@pytest.mark.parametrize("venue", VENUES)
def test_what_was_read_is_a_position_file_that_reads_back_the_same(tmp_path, venue) -> None:
    held = holdings_of(venue, asker(VENUES[venue]()))
    path = tmp_path / "mine.toml"
    path.write_text(as_file(held, "account x"))
    again = read_positions(path)
    assert [p.key for p in again.positions] == [p.key for p in held.positions]
    assert [p.signed_coin for p in again.positions] == pytest.approx(
        [p.signed_coin for p in held.positions]
    )
    assert again.options == held.options
    assert again.balances == held.balances


@pytest.mark.parametrize(
    ("venue", "answers", "problem"),
    [
        ("okx", okx(pos="many"), "okx positions, data 1, field 'pos': a number"),
        ("okx", okx(avgPx="0"), "field 'avgPx': must be above zero"),
        ("okx", okx(instId="DOT-USDT-SWAP"), "what a contract of DOT-USDT-SWAP is worth"),
        ("okx", okx(instId="ETH-USDT-260327"), "not how okx writes"),
        ("okx", okx(instId="ETH-USDT"), "spot"),
        ("deribit", deribit(instrument_name="ETH-27MAR26"), "so neither is the account"),
        ("deribit", deribit(average_price=None), "field 'average_price': a number"),
        ("bybit_linear", bybit("NEW_MARGIN"), "field 'marginMode': 'NEW_MARGIN' is not known"),
        ("bybit_linear", whole_bybit(inverse=[{**BYBIT_INVERSE, "symbol": "ETHUSDH26"}]), "not how bybit_inverse"),
        ("bybit_linear", whole_bybit(inverse=[{**BYBIT_INVERSE, "side": ""}]), "Buy or Sell was expected"),
        ("bybit_linear", whole_bybit("ISOLATED_MARGIN"), "an option in an account of isolated margin"),
        ("hyperliquid", hyperliquid("unifiedAccount"), "whose spot coins back its perpetuals"),
        ("hyperliquid", hyperliquid(coin="xyz:TSLA"), "not how hyperliquid writes"),
        ("hyperliquid", hyperliquid(leverage={"type": "isolated", "value": 5, "rawUsd": "100000"}),
         "no margin at its entry"),
        ("hyperliquid", hyperliquid(leverage={"type": "shared"}), "field 'type': cross or isolated"),
        ("binance_usdm", {**binance(), "fapiPrivateV3GetAccount": {}}, "field 'assets': is missing"),
        ("binance_usdm", {**binance(), "fapiPrivateV3GetPositionRisk": {"code": -1}}, "a list was expected"),
        ("binance_usdm", {**binance(), "fapiPrivateV3GetPositionRisk": ["x"]}, "an object was expected"),
    ],
)  # fmt: skip
def test_half_an_account_is_none(venue, answers, problem) -> None:
    with pytest.raises(UndecodableFrame) as caught:
        holdings_of(venue, asker(answers))
    assert problem in str(caught.value)


READ, TRADE, WITHDRAW = (False, False), (False, True), (True, False)


@pytest.mark.parametrize(
    ("venue", "answers", "may"),
    [
        ("binance_usdm", binance(), READ),
        ("binance_usdm", binance(enableFutures=True), TRADE),
        ("binance_usdm", binance(enableSomethingNew=True), TRADE),
        ("binance_usdm", binance(enableFixReadOnly=True), READ),
        ("binance_usdm", binance(enableWithdrawals=True), WITHDRAW),
        ("binance_usdm", binance(permitsUniversalTransfer=True), WITHDRAW),
        ("bybit_linear", bybit(), READ),
        ("bybit_linear", bybit(rights={"readOnly": 0}), TRADE),
        ("bybit_linear", bybit(rights={"readOnly": 0, "permissions": {"Wallet": ["Withdraw"]}}), WITHDRAW),
        ("okx", okx(), READ), ("okx", okx("read_only,trade"), TRADE), ("okx", okx("read_only,withdraw"), WITHDRAW),
        ("deribit", deribit(), READ), ("hyperliquid", hyperliquid(), READ),
        ("deribit", deribit("account:read trade:read_write"), TRADE),
        ("deribit", deribit("account:read novelty:read_write"), TRADE),
        ("deribit", deribit("account:read wallet:read_write"), WITHDRAW),
    ],
)  # fmt: skip
def test_what_a_key_may_do_is_asked_of_the_venue(venue, answers, may) -> None:
    scope = scope_of(venue, asker(answers), KEY)
    assert (scope.withdraw, scope.trade) == may
    if may == WITHDRAW:
        with pytest.raises(BadInput, match="refused, always"):
            check_scope(scope, "mine", allow_trade=True)
    elif may == TRADE:
        with pytest.raises(BadInput, match="--allow-trade"):
            check_scope(scope, "mine", allow_trade=False)
        check_scope(scope, "mine", allow_trade=True)
    else:
        check_scope(scope, "mine", allow_trade=False)


@pytest.mark.parametrize(
    ("venue", "answers", "error"),
    [
        ("okx", okx("read_only,lend"), UndecodableFrame),
        ("binance_usdm", {"sapiGetAccountApiRestrictions": {"enableReading": True}}, UndecodableFrame),
        ("deribit", {"privateGetListApiKeys": {"result": []}}, VenueRefused),
    ],
)  # fmt: skip
def test_rights_that_are_not_told_are_not_assumed(venue, answers, error) -> None:
    with pytest.raises(error):
        scope_of(venue, asker(answers), KEY)


def okx_wire(**changes):
    told = okx(**changes)
    return {
        "/api/v5/account/config": told["privateGetAccountConfig"],
        "/api/v5/account/positions": told["privateGetAccountPositions"],
        "/api/v5/account/balance": told["privateGetAccountBalance"],
    }


def test_the_whole_way_through_ccxt_signs_and_never_shows_the_secret() -> None:
    wire = Wire(okx_wire())
    held = read_account("mine", credentials("okx"), world(wire))
    assert held.positions[0].size_coin == 500.0
    assert wire.asked[0].url.endswith("/account/config")  # rights before holdings
    for request in wire.asked:
        assert request.headers["OK-ACCESS-KEY"] == KEY
        assert request.headers["OK-ACCESS-SIGN"]
        assert SECRET not in f"{request.url} {request.headers} {request.body}"


def test_a_key_that_may_withdraw_is_not_used_at_all() -> None:
    wire = Wire(okx_wire(perm="read_only,trade,withdraw"))
    with pytest.raises(BadInput, match="withdraw"):
        read_account("mine", credentials("okx"), world(wire), allow_trade=True)
    assert len(wire.asked) == 1


@pytest.mark.fault("W17")
def test_errors_of_the_venue_hold_neither_key_nor_signature() -> None:
    refused = {"code": -2015, "msg": f"Invalid API-key {KEY}, IP, or permissions for action"}
    wire = Wire({"/sapi/v1/account/apiRestrictions": refused}, status=401)
    with pytest.raises(VenueRefused) as caught:
        read_account("mine", credentials("binance_usdm"), world(wire))
    told = str(caught.value)
    assert "does not accept the key" in told
    assert KEY not in told
    assert SECRET not in told
    assert "signature=" not in told
    assert caught.value.__cause__ is None


def test_a_venue_whose_accounts_are_not_read_is_named() -> None:
    with pytest.raises(BadInput, match="binance_usdm, bybit_linear, okx, deribit, hyperliquid"):
        read_account("mine", credentials("coinbase"), world(Wire({})))


def test_an_address_is_asked_for_in_the_open_and_a_private_key_never_taken() -> None:
    told = hyperliquid()["publicPostInfo"]
    wire = Wire({"/info": lambda request: told(json.loads(request.body))})
    address = "0x" + "5a" * 20
    held = read_account("mine", credentials("hyperliquid", address), world(wire))
    assert held.positions[0].size_coin == 50.0
    assert [json.loads(r.body) for r in wire.asked] == [
        {"type": "userAbstraction", "user": address}, {"type": "clearinghouseState", "user": address}
    ]  # fmt: skip
    with pytest.raises(BadInput, match="never a private key") as caught:
        read_account("mine", credentials("hyperliquid", "0x" + "5a" * 32), world(Wire({})))
    assert "5a5a" not in str(caught.value)

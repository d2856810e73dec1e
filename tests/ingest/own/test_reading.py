"""Accounts read from recorded shapes: what is held, what a key may do, and what never leaves."""

import pytest
from ingest.own.private_venue import (
    AT_MS,
    KEY,
    SECRET,
    Wire,
    asker,
    binance,
    bybit,
    credentials,
    deribit,
    okx,
    world,
)

from airpocket.domain.errors import BadInput, UndecodableFrame, VenueRefused
from airpocket.domain.portfolio import accounts_of
from airpocket.ingest.accounts import read_positions
from airpocket.ingest.own.read import read_account
from airpocket.ingest.own.scope import check_scope, scope_of
from airpocket.ingest.own.venues import holdings_of
from airpocket.ingest.own.written import as_file

VENUES = {"binance_usdm": binance, "bybit_linear": bybit, "okx": okx, "deribit": deribit}


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
    assert [(b.currency, b.amount) for b in held.balances] == [("USDT", 20_000.5)]


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
    assert again.balances == tuple(b for b in held.balances if b.amount > 0.0)


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
        ("bybit_linear", bybit(inverse=[{"symbol": "BTCUSD", "size": "100"}]), "shares the unified"),
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
        ("binance_usdm", binance(enableWithdrawals=True), WITHDRAW),
        ("binance_usdm", binance(permitsUniversalTransfer=True), WITHDRAW),
        ("bybit_linear", bybit(), READ),
        ("bybit_linear", bybit(rights={"readOnly": 0}), TRADE),
        ("bybit_linear", bybit(rights={"readOnly": 0, "permissions": {"Wallet": ["Withdraw"]}}), WITHDRAW),
        ("okx", okx(), READ), ("okx", okx("read_only,trade"), TRADE), ("okx", okx("read_only,withdraw"), WITHDRAW),
        ("deribit", deribit(), READ),
        ("deribit", deribit("account:read trade:read_write"), TRADE),
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
    with pytest.raises(BadInput, match="binance_usdm, bybit_linear, okx, deribit"):
        read_account("mine", credentials("coinbase"), world(Wire({})))

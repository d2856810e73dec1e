"""Position and catalyst files: what they mean, and what is wrong with one that can't be meant."""

from pathlib import Path

import pytest

from airpocket.domain.catalysts import ahead
from airpocket.domain.errors import BadInput
from airpocket.domain.units import DAY_NS, parse_time
from airpocket.ingest.accounts import read_positions
from airpocket.ingest.catalysts import read_catalysts

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "venue": '"binance_usdm"', "symbol": '"ETHUSDT"', "side": '"short"', "size_coin": "500",
    "entry_price": "3150.5", "opened_at": '"2025-07-16T12:00Z"', "margin_mode": '"cross"',
    "wallet_usd": "250_000",
}  # fmt: skip
EVENT = {
    "time": '"2025-07-30T18:00Z"', "known_from": '"2025-01-01T00:00Z"', "kind": '"macro"',
    "name": '"rate decision"', "confidence": '"certain"',
}  # fmt: skip


def toml(kind, fields, head=""):
    lines = [f"{key} = {value}" for key, value in fields.items() if value is not None]
    return "\n".join([head, f"[[{kind}]]", *lines, ""])


def written(folder, text):
    path = folder / "mine.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_gives_positions_in_its_order(tmp_path) -> None:
    second = {**GOOD, "margin_mode": '"isolated"', "wallet_usd": None, "leverage_x": "25",
              "opened_at": "2025-07-16T14:00:00+02:00", "note": '"the small one"'}  # fmt: skip
    text = toml("position", GOOD, "portfolio_usd = 1e6") + toml("position", second)
    held = read_positions(written(tmp_path, text))
    assert held.portfolio_usd == 1e6
    first, other = held.positions
    assert (first.key, first.size_coin, first.entry_price) == (
        "binance_usdm:ETHUSDT",
        500.0,
        3150.5,
    )
    assert first.opened_at == other.opened_at == parse_time("2025-07-16T12:00Z")
    assert (other.leverage_x, other.wallet_usd, other.note) == (25.0, None, "the small one")


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"venue": '"binance"'}, "venue", "unknown venue"),
        ({"symbol": '"ETH-USD"'}, "symbol", "not how binance_usdm writes"),
        ({"venue": '"binance_coinm"', "symbol": '"ETHUSD_PERP"'}, "size_coin", "give size_usd"),
        ({"size_coin": None, "size_usd": "5e4"}, "size_usd", "counts in coin"),
        ({"size_contracts": "5"}, "size_contracts", "size twice"),
        ({"venue": '"okx"', "symbol": '"HYPE-USDT-SWAP"', "size_coin": None, "size_contracts": "5"},
         "size_contracts", "not known here"),
        ({"venue": '"deribit"', "symbol": '"ETH-27MAR26-4000-C"'}, "symbol", "go into [[option]]"),
        ({"venue": '"binance_spot"'}, "symbol", "no perpetual"),
        ({"side": '"sell"'}, "side", "long, short"),
        ({"side": None}, "side", "is missing"),
        ({"size_coin": "0"}, "size_coin", "above zero"),
        ({"size_coin": "-5"}, "size_coin", "above zero"),
        ({"size_coin": "nan"}, "size_coin", "finite"),
        ({"size_coin": "inf"}, "size_coin", "finite"),
        ({"size_coin": "true"}, "size_coin", "must be a number"),
        ({"size_coin": '"500"'}, "size_coin", "must be a number"),
        ({"entry_price": None}, "entry_price", "is missing"),
        ({"opened_at": '"2025-07-16T12:00"'}, "opened_at", "no time zone"),
        ({"opened_at": "2025-07-16T12:00:00"}, "opened_at", "no time zone"),
        ({"opened_at": "2025-07-16"}, "opened_at", "no time zone"),
        ({"opened_at": "5"}, "opened_at", "2025-10-10T20:00Z"),
        ({"margin_mode": '"crossed"'}, "margin_mode", "isolated, cross, portfolio"),
        ({"margin_mode": '"portfolio"', "wallet_usd": None}, "wallet_usd", "stands on"),
        ({"margin_mode": '"portfolio"', "leverage_x": "5"}, "leverage_x", "does not apply"),
        ({"wallet_usd": "0"}, "wallet_usd", "above zero"),
        ({"wallet_usd": None}, "wallet_usd", "wallet balance"),
        ({"leverage_x": "5"}, "leverage_x", "does not apply"),
        ({"margin_mode": '"isolated"', "wallet_usd": None}, "leverage_x", "needs leverage_x"),
        ({"margin_mode": '"isolated"', "leverage_x": "5"}, "wallet_usd", "twice"),
        ({"wallet_us": "5"}, "wallet_us", "did you mean 'wallet_usd'"),
    ],
)  # fmt: skip
def test_errors_name_file_position_and_field(tmp_path, changes, field, problem) -> None:
    text = toml("position", GOOD) + toml("position", {**GOOD, **changes})
    with pytest.raises(BadInput) as caught:
        read_positions(written(tmp_path, text))
    assert str(caught.value).startswith(f"mine.toml, position 2, field '{field}': ")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no [[position]]"),
        ("position = []", "[[position]]"),
        ("[position]\nvenue = 'x'", "[[position]]"),
        ("portfolio_usd = -1\n" + toml("position", GOOD), "above zero"),
        ("portfolio = 1\n" + toml("position", GOOD), "did you mean 'portfolio_usd'"),
        ("[[position]\n", "not TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (toml("position", {**GOOD, "id": '"a"'}) * 2, "two positions have the id 'a'"),
    ],
)
def test_a_file_that_is_no_position_file_is_refused(tmp_path, text, problem) -> None:
    with pytest.raises(BadInput) as caught:
        read_positions(written(tmp_path, text))
    assert problem in str(caught.value)
    assert "mine.toml" in str(caught.value)


OPTION = {
    "venue": '"deribit"', "symbol": '"ETH-27MAR26-4000-C"', "side": '"long"', "size_coin": "100",
    "entry_price": "0.034",
}  # fmt: skip
BALANCE = {"venue": '"deribit"', "currency": '"eth"', "amount": "60", "haircut_percent": "5"}


def test_options_balances_and_contracts_are_read_in_coin(tmp_path) -> None:
    inverse = {**GOOD, "venue": '"deribit"', "symbol": '"ETH-PERPETUAL"', "size_coin": None,
               "size_usd": "1_575_250", "wallet_usd": None}  # fmt: skip
    swap = {**GOOD, "venue": '"okx"', "symbol": '"ETH-USDT-SWAP"', "size_coin": None,
            "size_contracts": "5_000", "wallet_usd": None}  # fmt: skip
    coinm = {**GOOD, "venue": '"binance_coinm"', "symbol": '"BTCUSD_PERP"', "size_coin": None,
             "size_contracts": "10", "entry_price": "50_000", "margin_mode": '"portfolio"'}  # fmt: skip
    text = "".join(toml("position", each) for each in (inverse, swap, coinm))
    okx = {**OPTION, "venue": '"okx"', "symbol": '"ETH-USD-260327-4000-P"', "side": '"short"',
           "size_coin": None, "size_contracts": "30", "volatility_percent": "65"}  # fmt: skip
    bybit = {**OPTION, "venue": '"bybit_options"', "symbol": '"ETH-27MAR26-4000-C-USDT"',
             "entry_price": "55.5", "margin_mode": '"portfolio"'}  # fmt: skip
    text += toml("option", OPTION) + toml("option", okx) + toml("option", bybit)
    text += toml("balance", BALANCE) + toml("balance", {**BALANCE, "venue": '"okx"'})
    held = read_positions(written(tmp_path, text))
    assert [each.size_coin for each in held.positions] == pytest.approx([500.0, 500.0, 0.02])
    assert [each.wallet_usd for each in held.positions] == [None, None, 250_000.0]
    call, put, linear = held.options
    assert (call.strike, call.call, call.linear, call.signed_coin) == (4_000.0, True, False, 100.0)
    assert call.expiry == put.expiry == linear.expiry == parse_time("2026-03-27T08:00Z")
    assert (put.signed_coin, put.call, put.volatility) == (-3.0, False, 0.65)
    assert (linear.linear, linear.quote, linear.margin_mode) == (True, "USDT", "portfolio")
    assert [(b.currency, b.amount, b.haircut) for b in held.balances] == [("ETH", 60.0, 0.05)] * 2


@pytest.mark.parametrize(
    ("kind", "changes", "field", "problem"),
    [
        ("option", {"symbol": '"ETH-PERPETUAL"'}, "symbol", "no option but inverse"),
        ("option", {"symbol": '"ETH-OPTIONS"'}, "symbol", "names no expiry"),
        ("option", {"symbol": '"ETH-31FEB26-4000-C"'}, "symbol", "names no expiry"),
        ("option", {"size_coin": None}, "size_coin", "is missing"),
        ("option", {"size_contracts": "3"}, "size_contracts", "twice"),
        ("option", {"entry_price": "120"}, "entry_price", "premium is in coin"),
        ("option", {"opened_at": '"2026-04-01T00:00Z"'}, "opened_at", "expired by then"),
        ("option", {"volatility_percent": "0"}, "volatility_percent", "above zero"),
        ("option", {"margin_mode": '"isolated"'}, "margin_mode", "cross, portfolio"),
        ("option", {"strike": "4000"}, "strike", "unknown field"),
        ("balance", {"venue": '"mtgox"'}, "venue", "unknown venue"),
        ("balance", {"currency": '"$"'}, "currency", "not the name of a coin"),
        ("balance", {"amount": "0"}, "amount", "not zero"), ("balance", {"amount": "inf"}, "amount", "finite"),
        ("balance", {"haircut_percent": "120"}, "haircut_percent", "at most 100"),
        ("balance", {}, "currency", "two balances of ETH"),
    ],
)  # fmt: skip
def test_wrong_options_and_balances_are_named(tmp_path, kind, changes, field, problem) -> None:
    good = {"option": OPTION, "balance": BALANCE}[kind]
    text = toml("option", OPTION) + toml("balance", BALANCE) + toml(kind, {**good, **changes})
    with pytest.raises(BadInput) as caught:
        read_positions(written(tmp_path, text))
    where = "" if problem.startswith("two") else f", {kind} 2"
    assert str(caught.value).startswith(f"mine.toml{where}, field '{field}': ")
    assert problem in str(caught.value)


def test_borrowed_coin_is_read_and_a_mere_loan_refused(tmp_path) -> None:
    owed = {**BALANCE, "amount": "-3", "haircut_percent": None}
    held = read_positions(written(tmp_path, toml("option", OPTION) + toml("balance", owed)))
    assert held.balances[0].amount == -3.0
    loan = toml("position", GOOD) + toml("balance", {**owed, "venue": '"binance_spot"'})
    with pytest.raises(BadInput, match="ETH is owed there with nothing but balances"):
        read_positions(written(tmp_path, loan))


def test_a_stated_volatility_is_a_percentage(tmp_path) -> None:
    held = read_positions(written(tmp_path, "volatility_percent = 70\n" + toml("position", GOOD)))
    assert held.volatility == 0.7
    with pytest.raises(BadInput, match=r"'volatility_percent': must lie between 5 and 500 %"):
        read_positions(written(tmp_path, "volatility_percent = 0.7\n" + toml("position", GOOD)))


def test_what_has_nothing_behind_it_is_refused(tmp_path) -> None:
    short = toml("option", {**OPTION, "side": '"short"'})
    with pytest.raises(BadInput, match=r"mine\.toml: .*nothing behind it"):
        read_positions(written(tmp_path, short))
    both = toml("position", GOOD) + toml("balance", {**BALANCE, "venue": '"binance_usdm"'})
    with pytest.raises(BadInput, match="wallet twice"):
        read_positions(written(tmp_path, both))


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_positions(tmp_path / "none.toml")


def test_events_come_in_time_order_and_only_once_known(tmp_path) -> None:
    sooner = {**EVENT, "time": "2025-07-20T00:00:00Z", "known_from": '"2025-07-15T00:00Z"'}
    text = toml("catalyst", EVENT) + toml("catalyst", sooner)
    found = read_catalysts(written(tmp_path, text))
    assert [event.time for event in found] == sorted(event.time for event in found)
    before, after = parse_time("2025-07-14T23:59Z"), parse_time("2025-07-15T00:00Z")
    assert len(ahead(found, before, 30 * DAY_NS)) == 1
    assert len(ahead(found, after, 30 * DAY_NS)) == 2
    assert ahead(found, found[0].time, 30 * DAY_NS) == [found[1]]  # one that is here is not ahead


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"known_from": None}, "known_from", "say from when"),
        ({"known_from": '"2025-08-01T00:00Z"'}, "known_from", "after the event itself"),
        ({"kind": '"party"'}, "kind", "macro"),
        ({"confidence": '"sure"'}, "confidence", "rumoured"),
        ({"name": '" "'}, "name", "not empty"),
        ({"time": '"soon"'}, "time", "not a time"),
        ({"where": '"here"'}, "where", "unknown field"),
    ],
)
def test_a_wrong_event_is_named(tmp_path, changes, field, problem) -> None:
    with pytest.raises(BadInput) as caught:
        read_catalysts(written(tmp_path, toml("catalyst", {**EVENT, **changes})))
    assert str(caught.value).startswith(f"mine.toml, catalyst 1, field '{field}': ")
    assert problem in str(caught.value)


def test_the_examples_are_valid() -> None:
    assert len(read_positions(ROOT / "examples" / "positions.toml").positions) == 3
    assert len(read_positions(ROOT / "examples" / "whole-account.toml").options) == 2
    assert read_catalysts(ROOT / "examples" / "catalysts.toml")

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
        ({"venue": '"binance_coinm"', "symbol": '"ETHUSD_PERP"'}, "symbol", "coin-margined"),
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
        ({"margin_mode": '"portfolio"'}, "margin_mode", "not modelled"),
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
    assert read_catalysts(ROOT / "examples" / "catalysts.toml")

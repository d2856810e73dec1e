"""The recorded market data through their mappings: every row accounted for, spot values looked up by hand."""

import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from airpocket.delivery.cli.import_ import import_
from airpocket.domain.kinds import split_name
from airpocket.domain.units import parse_time
from airpocket.ingest.history.load import Import, read_history
from airpocket.ingest.history.mapping import find_mappings, read_mapping
from airpocket.ingest.lake import Lake

pytestmark = pytest.mark.real

MAPPINGS = Path(__file__).parent / "mappings"
NOW = parse_time("2026-11-20T00:00Z")


@pytest.fixture(scope="module")
def data(shared: Path) -> Path:
    return shared / "data"


@pytest.fixture(scope="module")
def found(data: Path) -> Import:
    return read_history([MAPPINGS], data, now=NOW)


@pytest.fixture(scope="module")
def lake(found: Import, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("shared") / "store")
    lake.write(found.tables)
    return lake


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def row(lake: Lake, series: str, when: str) -> dict[str, object]:
    frame = lake.read(*series.split())
    return frame.filter(pl.col("ts") == at(when)).row(0, named=True)


def test_every_table_is_mapped_or_skipped_with_a_reason(data: Path) -> None:
    mappings = [read_mapping(path) for path in find_mappings([MAPPINGS])]
    mapped = {file for mapping in mappings for table in mapping.tables for file in table.files}
    skipped = {skip.file: skip.reason for mapping in mappings for skip in mapping.skips}

    present = {
        path.relative_to(data).as_posix()
        for path in data.rglob("*")
        if path.suffix in (".parquet", ".csv")
    }

    assert mapped | set(skipped) == present
    assert not mapped & set(skipped)
    assert all(len(reason) > 20 for reason in skipped.values())


def test_the_licence_of_every_source_is_the_one_it_states(data: Path) -> None:
    for mapping in (read_mapping(path) for path in find_mappings([MAPPINGS])):
        provenance = data / mapping.source / "PROVENANCE.md"
        if not provenance.is_file():
            continue
        stated = re.search(r"Licence: \W*([\w-]+)", provenance.read_text())
        assert stated is not None
        assert mapping.licence.lower().startswith(stated[1].lower())


def test_no_row_is_lost_without_a_reason(found: Import, data: Path) -> None:
    # rows per row read: funds of a wide table, ratios of a metrics row
    wide = {("farside_btc_etf/btc_etf_flows_by_fund_daily.parquet", "flow"): 12}
    wide["millbo01_binance_metrics/ethusdt_metrics_5m_20250508.parquet", "ratio"] = 4
    for account in found.files:
        path = data / account.file
        reader = pl.scan_parquet if path.suffix == ".parquet" else pl.scan_csv
        height = reader(path).select(pl.len()).collect().item()
        left_out = sum(rows for _, rows in account.left_out)
        factor = wide.get((account.file, account.kind), 1)
        assert account.rows_read == height
        assert (height - left_out) * factor == account.rows_taken, account
        assert (account.collapsed, account.moved) == (0, 0)


def test_row_counts_are_those_of_the_readme(found: Import, data: Path) -> None:
    """The counts that the table in the README prints, file by file."""
    text = (data / "README.md").read_text().split("## 2.")[0]
    read = {Path(account.file).stem: account.rows_read for account in found.files}
    printed = {
        "candles_1h": 121_122, "funding": 115_218, "open_interest": 53_282,
        "open_interest_head": 18_477, "liquidations": 8_059, "liquidation_volume_daily": 173,
        "btcusdt_binance_oi_1h": 7_795, "btcusdt_perp_1h": 50_241, "btcusdt_funding": 6_270,
        "ethusdt_perp_15m": 106_512, "ethusdt_perp_5m": 143_901, "ethusdt_perp_1m": 60_191,
        "etf_net_flow_daily": 258, "btc_etf_flows_by_fund_daily": 601, "eth_chain": 199_392,
        "btc_chain": 99_948, "snapshots": 526, "forwards": 6_258, "eth_dvol_1d": 170,
        "btc_dvol_close_1d": 1_116, "binance_usdm_tiers_2026_09": 7_276, "squeezes": 478,
    }  # fmt: skip
    for name, rows in printed.items():
        assert f"{rows:,}" in text
        assert read[name] == rows


def test_joined_series_are_as_long_as_the_readme_says(found: Import) -> None:
    series = {(one.kind, one.venue, one.symbol): one for one in found.series}

    assert series["funding", "binance_usdm", "ETHUSDT"].rows == 3_485
    assert series["funding", "binance_usdm", "ETHUSDT"].gaps == 0
    assert len(series["funding", "binance_usdm", "ETHUSDT"].sources) == 4
    assert series["bar_1h", "binance_usdm", "BTCUSDT"].rows == 50_241 + 8_736 - 2_103
    assert series["bar_1h", "binance_usdm", "BTCUSDT"].gaps == 0
    assert series["bar_1h", "hyperliquid", "ETH"].gaps == 1
    assert series["funding", "kraken_futures", "PF_XBTUSD"].rows == 8_727


def test_recorded_gaps_are_those_of_the_readme(found: Import) -> None:
    gaps = defaultdict[tuple[str, str, str], list[tuple[datetime, int]]](list)
    for gap in found.gaps:
        after = datetime.fromtimestamp(gap.after / 1e9, UTC)
        gaps[gap.kind, gap.venue, gap.symbol].append((after, gap.missing))

    spot = [
        (at("2021-04-20 01:00"), 2),
        (at("2021-04-25 04:00"), 3),
        (at("2021-08-13 01:00"), 4),
        (at("2021-09-29 06:00"), 2),
        (at("2023-03-24 12:00"), 1),
    ]
    assert gaps["bar_1h", "binance_spot", "ETHUSDT"] == spot
    assert gaps["bar_1h", "binance_spot", "BTCUSDT"] == spot
    assert gaps["open_interest", "hyperliquid", "ETH"] == [(at("2026-01-18 23:00"), 18)]
    assert sum(missing for _, missing in gaps["funding", "kraken_futures", "PF_ETHUSD"]) == 9


def test_okx_contracts_become_coin(lake: Lake, data: Path) -> None:
    upstream = pl.read_parquet(data / "finm33150_hl_multivenue/candles_1h.parquet")
    coins = {"BTC": 0.01, "ETH": 0.1, "SOL": 1.0, "DOGE": 1_000.0, "HYPE": 0.1}
    for coin, size in coins.items():
        theirs = upstream.filter(venue="okx", coin=coin).sort("ts")["volume"]
        ours = lake.read("bar_1h", "okx", f"{coin}-USDT-SWAP")["volume"]
        assert ours.to_list() == pytest.approx((theirs * size).to_list(), rel=1e-15)


def test_okx_volumes_are_then_of_the_size_of_the_other_venues(lake: Lake) -> None:
    for coin in ("BTC", "ETH", "SOL", "DOGE", "HYPE"):
        okx = lake.read("bar_1h", "okx", f"{coin}-USDT-SWAP").select("ts", "volume")
        bybit = lake.read("bar_1h", "bybit_linear", f"{coin}USDT").select("ts", "volume")
        both = okx.join(bybit, on="ts", suffix="_bybit")
        assert both.height > 2_000
        assert 0.1 < both["volume"].sum() / both["volume_bybit"].sum() < 10


def test_okx_open_interest_agrees_with_its_later_revision(lake: Lake) -> None:
    """The first revision lacks the contract value, the head has it: an independent check of both factors."""
    for coin in ("BTC", "ETH", "SOL", "DOGE", "HYPE"):
        first = lake.read("open_interest", "okx", f"{coin}-USDT-SWAP")["amount"][0]
        head = lake.read("open_interest", "okx", f"{coin}-USDT-SWAP~head")["amount"][0]
        assert first == pytest.approx(head, rel=0.05)


def test_okx_liquidations_have_true_notionals(lake: Lake) -> None:
    eth = lake.read("liquidation", "okx", "ETH-USDT-SWAP")
    assert eth.height == 1_632
    assert set(eth["forced_side"]) == {"buy", "sell"}
    assert set(eth["coverage"]) == {"sample"}
    hype = lake.read("liquidation", "okx", "HYPE-USDT-SWAP").row(0, named=True)
    assert hype["ts"] == at("2026-03-04 11:13:13.984")
    assert hype["notional_usd"] == pytest.approx(197.628)  # 1,976.28 × 0.1
    assert set(lake.read("liquidation", "hyperliquid", "ETH")["forced_side"]) == {"unknown"}


def test_funding_is_keyed_on_its_settlement_with_the_interval_of_venue_and_coin(
    lake: Lake,
) -> None:
    late = row(lake, "funding binance_usdm BTCUSDT", "2025-03-08 16:00")
    assert late["rate"] == 1.208e-05
    assert late["usable_from"] == at("2025-03-08 16:00:00.001")
    hours = {
        "binance_usdm ETHUSDT": 8, "binance_usdm HYPEUSDT": 4, "bybit_linear HYPEUSDT": 8,
        "okx HYPE-USDT-SWAP": 4, "okx ETH-USDT-SWAP": 8, "hyperliquid ETH": 1,
        "kraken_futures PF_ETHUSD": 1, "dydx ETH-USD": 1, "lighter ETH": 1,
    }  # fmt: skip
    for series, expected in hours.items():
        frame = lake.read("funding", *series.split())
        assert frame["interval_s"].unique().to_list() == [expected * 3_600]
        steps = frame["ts"].diff().drop_nulls()
        assert steps.mode().to_list() == [timedelta(hours=expected)]  # what the data themselves say


def test_nothing_is_usable_before_it_could_be_known(found: Import) -> None:
    lags = defaultdict[str, set[timedelta]](set)
    for table in found.tables:
        _, interval_ns = split_name(table.kind)
        lag = table.frame["usable_from"] - table.frame["ts"]
        assert lag.min() >= timedelta(microseconds=interval_ns // 1_000)
        lags[table.kind].update(lag.unique().to_list())
    assert lags["bar_1h"] == {timedelta(hours=1)}
    assert lags["bar_1m"] == {timedelta(minutes=1)}
    assert lags["flow"] == {timedelta(days=1, hours=13)}
    assert lags["vol_index_1d"] == {timedelta(days=1)}
    assert lags["option_quote"] == lags["forward"] == {timedelta(minutes=6)}
    assert lags["ratio"] == {timedelta(minutes=5)}
    assert lags["ticker"] == {timedelta()}
    assert max(lags["funding"]) < timedelta(seconds=2)


@pytest.mark.fault("D06")
def test_the_crash_of_october_is_not_visible_in_open_interest_before_its_hour_is_over(
    lake: Lake,
) -> None:
    before = parse_time("2025-10-10T21:59:59Z")
    seen = lake.read("open_interest", "hyperliquid", "ETH", until=before)
    assert seen["ts"][-1] == at("2025-10-10 20:00")
    later = lake.read("open_interest", "hyperliquid", "ETH", until=parse_time("2025-10-10T22:00Z"))
    assert later["ts"][-1] == at("2025-10-10 21:00")
    assert later["amount"][-1] / later["amount"][-2] < 0.75
    assert later.row(-1, named=True)["averaged_s"] == 3_600


def test_hand_picked_values(lake: Lake) -> None:
    squeeze = lake.read("bar_1m", "binance_usdm", "ETHUSDT")
    assert squeeze.filter(pl.col("ts") == at("2025-05-08 08:09"))["low"][0] == 1_925.00
    assert squeeze.filter(pl.col("ts") == at("2025-05-09 08:36"))["high"][0] == 2_490.75
    metrics = row(lake, "open_interest binance_usdm ETHUSDT", "2025-05-08 15:35")
    assert (metrics["amount"], metrics["unit"]) == (1_786_825.5, "coin")
    flows = lake.read("flow", "flows", "BTC").filter(pl.col("ts") == at("2024-01-11 00:00"))
    by_series = dict(flows.select("series", "value").iter_rows())
    assert by_series["etf_net_flow:IBIT"] == pytest.approx(111.7e6)
    assert by_series["etf_net_flow:total"] == pytest.approx(655.3e6)
    dvol = row(lake, "vol_index_1d deribit ETH-DVOL", "2025-09-19 00:00")
    assert (dvol["open"], dvol["close"]) == (61.91, 60.79)
    tiers = lake.read("tier", "binance_usdm", "ETHUSDT")
    assert tiers.height == 12
    assert (tiers["mmr"][0], tiers["max_leverage"][0], tiers["notional_cap"][-1]) == (
        0.004,
        150.0,
        1.2e9,
    )
    quote = lake.read("option_quote", "deribit", "ETH-OPTIONS").filter(
        (pl.col("ts") == at("2025-12-30 17:31:15.944181"))
        & (pl.col("instrument") == "ETH-31DEC25-2400-C")
    )
    assert quote.select("bid", "ask", "mark_iv").row(0) == (0.1725, 0.2155, 0.9198999999999999)


def test_a_zero_that_means_unknown_stays_unknown(lake: Lake) -> None:
    answer = row(lake, "ticker binance_usdm BTCUSDT", "2024-05-11 01:00")
    assert (answer["last"], answer["mark"], answer["index"]) == (60_778.1, None, None)
    interest = lake.read("open_interest", "binance_usdm", "BTCUSDT")
    assert interest.filter(pl.col("ts") == at("2024-05-11 01:00")).is_empty()
    totals = lake.read("flow", "flows", "BTC").filter(series="etf_net_flow:total")
    assert totals.height == 601 - 190
    assert totals.filter(value=0.0).is_empty()


def test_the_two_etf_sources_agree_where_both_speak(lake: Lake) -> None:
    flows = lake.read("flow", "flows", "BTC")
    daily = flows.filter(series="etf_net_flow").select("ts", "value")
    total = flows.filter(series="etf_net_flow:total").select("ts", "value")
    both = daily.join(total, on="ts", suffix="_total")
    assert both.height > 150
    assert (both["value"] - both["value_total"]).abs().max() < 1.0  # dollars


def test_symbols_beyond_ascii_and_dated_contracts_have_their_tiers(lake: Lake) -> None:
    assert lake.read("tier", "binance_usdm", "币安人生USDT").height > 0
    assert lake.read("tier", "binance_usdm", "ETHUSDT_261225").height > 0


def test_labels_are_known_two_days_after_the_peak(lake: Lake) -> None:
    counts = {"BTC": 247, "ETH": 150, "SOL": 33, "DOGE": 33, "HYPE": 15}
    for coin, count in counts.items():
        labels = lake.read("label", "binance_usdm", f"{coin}USDT")
        assert labels.height == count
        assert (labels["usable_from"] - labels["peak"]).unique().to_list() == [timedelta(hours=48)]


def test_importing_again_changes_nothing(found: Import, lake: Lake) -> None:
    report = lake.write(found.tables)

    assert (report.files_written, report.rows_new) == (0, 0)
    assert lake.verify() == []


def test_the_command_reads_a_real_folder_to_json(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = MAPPINGS / "finm33150_hl_multivenue.toml"

    import_([mapping], root=data, store=tmp_path / "store", dry_run=True, as_json=True)

    account = json.loads(capsys.readouterr().out)
    assert account["skipped"][0]["file"].endswith("depth_snapshot.parquet")
    assert sum(one["rows"] for one in account["series"] if one["kind"] == "bar_1h") == 121_122

"""`airpocket lab`: a folder of tables with the truth beside them, its facts, or a clear refusal."""

import json
from pathlib import Path

import polars as pl
import pytest

from airpocket.delivery.cli import main
from airpocket.delivery.simulated import store_run
from airpocket.domain.errors import BadInput
from airpocket.ingest.lake import Lake

WORLDS = Path(__file__).resolve().parents[2] / "examples" / "worlds"
SCENARIO = """
base = "{base}"
name = "quarter of an hour"
hours = 0.25

[[phase]]
from_h = 0.0

[[phase]]
from_h = 0.05
bids = 0.1
[phase.venue.sim_binance]
flow_usd_m_per_min = -60.0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("lab")
    world = place / "quarter.toml"
    world.write_text(SCENARIO.format(base=WORLDS / "four_venues.toml"), encoding="utf-8")
    into = ["--out", str(place / "out"), "--store", str(place / "store")]
    assert main(["lab", "run", str(world), "--seed", "3", *into, "--book"]) == 0
    return place / "out"


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / f"{name}.parquet", hive_partitioning=False)


def test_the_folder_holds_what_run_json_says(folder: Path) -> None:
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))

    found = {str(path.relative_to(folder)) for path in folder.rglob("*.parquet")}
    assert found == set(run["files"])
    for name, count in run["files"].items():
        assert pl.scan_parquet(folder / name).select(pl.len()).collect().item() == count


def test_every_public_row_says_it_is_simulated(folder: Path) -> None:
    for path in folder.glob("*.parquet"):
        assert pl.read_parquet(path)["source"].unique().to_list() == [
            "SIMULATED quarter of an hour, seed 3"
        ]


def test_bars_hold_all_the_coin_that_was_traded(folder: Path) -> None:
    bars, trades = table(folder, "bar_1m"), table(folder, "trade")

    for venue in ("sim_spot", "sim_binance", "sim_hyperliquid"):
        barred = bars.filter(pl.col("venue") == venue)["volume"].sum()
        assert barred == pytest.approx(trades.filter(pl.col("venue") == venue)["size"].sum())


def test_the_truth_holds_as_many_longs_as_shorts_and_they_are_the_open_interest(
    folder: Path,
) -> None:
    positions = table(folder, "truth/positions")
    sides = (
        positions.group_by("ts", "venue", "side").agg(pl.col("size_coin").sum())
        .pivot("side", index=["ts", "venue"], values="size_coin").sort("ts", "venue")
    )  # fmt: skip
    told = table(folder, "open_interest").select("ts", "venue", "amount")

    joined = sides.join(told, on=["ts", "venue"])
    assert joined.height > 3
    assert joined["long"].to_numpy() == pytest.approx(joined["short"].to_numpy())
    # told at the venue's step, before the forced orders of the same instant
    assert joined["long"].to_numpy() == pytest.approx(joined["amount"].to_numpy(), rel=1e-3)


def test_a_position_lies_on_the_safe_side_of_its_liquidation_price_or_is_being_liquidated(
    folder: Path,
) -> None:
    positions = table(folder, "truth/positions").filter(
        pl.col("liquidation_price").is_not_null(), pl.col("agent") == "trader"
    )

    first = positions.filter(pl.col("ts") == positions["ts"].min())
    away = (first["liquidation_price"] / first["mark"] - 1.0) * (
        first.select(pl.when(pl.col("side") == "long").then(-1.0).otherwise(1.0)).to_series()
    )
    assert first.height > 500
    assert (away > 0.0).all()


def test_the_public_hears_less_of_liquidations_than_there_were(folder: Path) -> None:
    told, true = table(folder, "liquidation"), table(folder, "truth/forced")
    orders = true.filter(pl.col("via") == "book", pl.col("filled_coin") > 0.0)

    for venue in ("sim_binance", "sim_bybit", "sim_hyperliquid"):
        heard = told.filter(pl.col("venue") == venue)
        happened = orders.filter(pl.col("venue") == venue)
        assert happened.height > 3
        if venue == "sim_bybit":
            assert heard.height == happened.height
            assert heard["size"].sum() == pytest.approx(happened["filled_coin"].sum())
        elif venue == "sim_binance":
            assert 0 < heard["size"].sum() <= happened["filled_coin"].sum()
        else:
            assert heard.height == 0
    assert (told["usable_from"] >= told["ts"]).all()


def test_the_ladder_counts_the_coin_of_the_positions_in_reach(folder: Path) -> None:
    ladder, positions = table(folder, "truth/ladder"), table(folder, "truth/positions")
    last = positions["ts"].max()
    away = (pl.col("liquidation_price") / pl.col("mark") - 1.0) * 100.0
    near = positions.filter(
        pl.col("ts") == last, pl.col("agent") != "venue", away.is_between(0.0, 20.0),
        pl.col("side") == "short",
    )  # fmt: skip

    counted = ladder.filter(
        pl.col("ts") == last, pl.col("side") == "short", pl.col("distance_percent").is_between(0.0, 19.9)
    )  # fmt: skip
    assert counted["size_coin"].sum() == pytest.approx(near["size_coin"].sum(), rel=1e-6)


def test_the_tape_of_a_minute_holds_its_trades_and_the_mean_spread(folder: Path) -> None:
    tape, trades = table(folder, "tape_1m"), table(folder, "trade")
    usd = pl.col("price") * pl.col("size")
    minutes = (
        trades.group_by("venue", ts=pl.col("ts").dt.truncate("1m"))
        .agg(usd.filter(pl.col("taker_side") == "buy").sum().alias("bought"), told=pl.len())
        .join(tape, on=["venue", "ts"])
    )  # fmt: skip
    assert minutes.height == tape.height == 4 * 15
    assert minutes["buy_usd"].to_numpy() == pytest.approx(minutes["bought"].to_numpy())
    assert (minutes["prints"] == minutes["told"]).all()
    # a tick of 0.1 at 3,000 is a third of a basis point
    assert tape["spread_bps"].min() > 0.32
    assert tape["spread_bps"].median() < 5.0


def test_a_run_in_a_store_gives_a_brief_that_says_simulated(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(folder.parent / "store")
    assert main(["brief", "ETH", "--store", store, "--offline", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)

    closes = table(folder, "bar_1m").filter(pl.col("venue") == "sim_binance").sort("ts")["close"]
    assert told["health"]["simulated"] is True
    assert "SIMULATED" in told["answer"]
    assert f"{closes[-1]:,.2f}" in told["answer"]


def test_the_store_holds_what_the_public_heard_and_writing_it_again_changes_nothing(
    folder: Path,
) -> None:
    lake = Lake(folder.parent / "store")
    rows = dict.fromkeys(("trade", "bar_1m", "depth", "liquidation"), 0)
    for series in lake.series():
        if series.kind in rows:
            rows[series.kind] += series.rows

    assert rows == {kind: table(folder, kind).height for kind in rows}
    assert "positions" not in {series.kind for series in lake.series()}
    assert store_run(folder, lake.root).files_written == 0
    with pytest.raises(BadInput, match=r"run\.json"):
        store_run(lake.root, lake.root)


def test_the_facts_of_a_run_stand_beside_real_ones(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", "facts", str(folder)]) == 0
    page = capsys.readouterr().out
    assert main(["lab", "facts", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)

    assert "SIMULATED" in page
    row = next(line for line in page.splitlines() if "funding per 8 h" in line)
    assert row.split()[-4:] == ["0.405", "-0.253", "to", "1"]
    facts = {(fact["name"], fact["venue"]): fact["value"] for fact in told["facts"]}
    spreads = table(folder, "tape_1m").filter(pl.col("venue") == "sim_bybit")["spread_bps"]
    assert facts["spread_bps", "sim_bybit"] == pytest.approx(spreads.median())
    assert facts["interest_day_percent", "sim_binance"] is None
    assert "2025" in told["real"]["excess_kurtosis"]["sample"]


def test_the_facts_of_a_world_file_are_those_of_its_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[object] = []
    for what in (["--seed", "3", str(folder.parent / "quarter.toml")], [str(folder)]):
        assert main(["lab", "facts", *what, "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out)["facts"])

    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("arguments", "said"), [([], "not the folder of a run"), (["--seed", "1"], "--seed belongs")]
)
def test_facts_of_what_is_no_run_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["lab", "facts", str(tmp_path), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_world_file_needs_a_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "facts", str(WORLDS / "squeeze.toml")]) == 2
    assert "--seed is needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.toml", "--seed", "1"], "gone.toml"),
        ([str(WORLDS / "squeeze.toml"), "--seed", "-1"], "--seed"),
        ([str(WORLDS / "squeeze.toml"), "--seed", "1", "--truth-every", "0"], "--truth-every"),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    status = main(["lab", "run", *arguments, "--out", str(tmp_path / "out")])

    assert status == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")

    status = main(
        ["lab", "run", str(WORLDS / "squeeze.toml"), "--seed", "1", "--out", str(tmp_path)]
    )

    assert status == 2
    assert "already holds something" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_accounts_of_the_venue_under_hyperliquid_s_rules_are_public(folder: Path) -> None:
    """The last round is the truth of that moment; who left since the round before says so."""
    told = table(folder, "account")
    assert set(told["venue"]) == {"sim_hyperliquid"}
    true = pl.read_parquet(folder / "truth" / "positions.parquet").filter(
        pl.col("venue") == "sim_hyperliquid"
    )
    for at in told["ts"].unique().to_list():
        held = told.filter(pl.col("ts") == at, pl.col("backing") != "none").sort("account")
        open_ = true.filter(pl.col("ts") == at).sort("account")
        assert held["size_coin"].abs().to_list() == open_["size_coin"].to_list()
        price = open_.select(
            pl.when(pl.col("liquidation_price") > 0.0).then(pl.col("liquidation_price"))
        ).to_series()
        assert held["liquidation_price"].to_list() == price.to_list()
        worth = held["cash_usd"] + held["size_coin"] * held["mark"]
        assert worth.to_list() == pytest.approx(open_["equity_usd"].to_list(), rel=1e-6, abs=1e-3)
    first, last = told["ts"].min(), told["ts"].max()
    left = set(told.filter(pl.col("ts") == first)["account"]) - set(
        told.filter(pl.col("ts") == last, pl.col("backing") != "none")["account"]
    )
    gone = told.filter(pl.col("ts") == last, pl.col("backing") == "none")
    assert left == set(gone["account"])
    assert left

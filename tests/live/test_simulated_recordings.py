"""Nothing simulated passes for real: the mark on the way from the lab's door to log, store and answers."""

import asyncio

import msgspec
import polars as pl
import pytest
from lab.served.test_gate import Served, alone, book_of
from live.sim import MemoryLog, SimVenue, simulate, world_of

from airpocket.delivery import at_a_glance
from airpocket.delivery.answers import brief_of
from airpocket.delivery.cli import main
from airpocket.domain.errors import StoreConflict
from airpocket.domain.simulated import labelled, sourced
from airpocket.ingest import origin
from airpocket.ingest.lake import Lake, Table
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.seal import seal
from airpocket.ingest.log.writer import LogWriter
from airpocket.ingest.world import SystemClock
from airpocket.live.glance import Glance
from airpocket.live.keeper import FactKeeper
from airpocket.live.recorder import Recorder, RecorderSettings
from airpocket.live.replay import Replay
from airpocket.live.session import RAW
from airpocket.market.live import rows

LABEL = "SIMULATED four venues, quiet, seed 1"
MINUTE_NS = 60_000_000_000
T0 = 1_790_000_000_000_000


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A store that the shipped recorder made from the lab's server."""
    store = tmp_path_factory.mktemp("recorded")

    async def run():
        async with Served(alone()) as served:
            return await served.record(
                store, "binance_usdm", until=lambda s: Lake(store).series() and book_of(s).applied
            )

    asyncio.run(run())
    return store


def bars(source, venue="binance_usdm", first=T0):
    ts = pl.Series("ts", [first], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    frame = pl.DataFrame({"ts": ts, "usable_from": ts.dt.offset_by("1m"), "source": [source]})
    columns = {name: [3000.0] for name in ("open", "high", "low", "close")}
    columns |= {name: [1.0] for name in ("volume", "volume_usd", "taker_buy")}
    whole = frame.with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    return Table("bar_1m", venue, "ETHUSDT", whole)


def test_every_row_of_a_recording_from_the_lab_says_where_it_came_from(recorded):
    sources = {source for series in Lake(recorded).series() for source in series.sources}
    assert sources == {f"{LABEL}: heard live"}


def test_the_log_says_it_too_and_so_does_its_replay_also_when_sealed(recorded, capsys):
    assert origin.label_of(recorded / RAW) == LABEL
    seal(recorded / RAW)
    assert Replay(("ETH",)).run(recorded / RAW).simulated == LABEL
    assert main(["replay", "ETH", "--store", str(recorded)]) == 0
    assert capsys.readouterr().out.startswith("SIMULATED four venues")
    assert main(["tops", "binance_usdm", "ETHUSDT", "--store", str(recorded), "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["simulated"] == LABEL


def test_venues_says_simulated(recorded, capsys):
    assert main(["venues", "ETH", "--store", str(recorded)]) == 0
    assert LABEL in capsys.readouterr().out


def minutes():
    """Three hours of a quiet perpetual, as the recorder hears them."""
    start = T0 * 1_000 // MINUTE_NS * MINUTE_NS
    heard = [
        {"ts": start + k * MINUTE_NS, "usable_from": start + (k + 1) * MINUTE_NS, "open": 3000.0, "high": 3001.0,
         "low": 2999.0, "close": 3000.0 + k % 2, "volume": 5.0, "volume_usd": 15_000.0, "taker_buy": 2.0}
        for k in range(180)
    ]  # fmt: skip
    return rows.batch("bar_1m", "binance_usdm", "ETHUSDT", heard)


def test_a_glance_through_a_gate_says_simulated_and_one_at_the_venues_does_not(monkeypatch):
    batch = minutes()

    async def look(asset, ask, clock):
        return Glance(int(batch.ints("usable_from")[-1]), (batch,), (f"binance_usdm:{asset}",), {})

    monkeypatch.setattr(at_a_glance, "look", look)
    assert at_a_glance.brief_at_a_glance("ETH", "127.0.0.1:9").answer.startswith("SIMULATED: ")
    assert not at_a_glance.brief_at_a_glance("ETH").health.simulated


def test_brief_and_map_of_what_the_recorder_keeps_say_simulated(tmp_path, capsys):
    keeper = FactKeeper(tmp_path)
    keeper.simulated = LABEL
    keeper.add([minutes()])
    keeper.write(keeper.take())
    brief = brief_of("ETH", tmp_path)
    assert brief.health.simulated
    assert brief.answer.startswith("SIMULATED: ")
    for command in (["brief", "ETH", "--offline"], ["map", "ETH"], ["cascade", "ETH"]):
        assert main([*command, "--store", str(tmp_path)]) == 0
        assert "SIMULATED" in capsys.readouterr().out.splitlines()[0]


def test_the_marker_alone_is_enough_where_the_note_is_lost():
    """A log copied without its note: what the recorder said at its beginning still stands in it."""
    record = Record(1, "", "log", "marker", b'{"event":"begun","simulated":"SIMULATED x, seed 2"}')
    run = Replay(("ETH",))
    run.feed([record])
    assert run.report().simulated == "SIMULATED x, seed 2"

    async def live(loop):
        world, _ = world_of(loop, SimVenue())
        log = MemoryLog()
        recorder = Recorder({}, {}, log, run.states, world, RecorderSettings(simulated=LABEL))
        await recorder.run()
        return log.records

    assert origin.told_by(simulate(live)[0]) == LABEL


def test_a_gate_that_says_nothing_of_itself_is_no_venue_either():
    label = asyncio.run(origin.origin_of("127.0.0.1:9"))
    assert label == "SIMULATED heard through 127.0.0.1:9, not from the venues"
    assert asyncio.run(origin.origin_of("")) == ""


def test_a_folder_of_real_recordings_refuses_simulated_ones(tmp_path):
    with LogWriter(tmp_path / RAW, SystemClock()) as log:
        log.append(Record(1, "binance_usdm", "public#1", "text", b"{}"))
    with pytest.raises(StoreConflict, match="real venues"):
        origin.claim(tmp_path, tmp_path / RAW, LABEL)
    seal(tmp_path / RAW)
    with pytest.raises(StoreConflict, match="real venues"):
        origin.claim(tmp_path, tmp_path / RAW, LABEL)
    origin.claim(tmp_path, tmp_path / RAW, "")


def test_a_folder_of_simulated_recordings_refuses_real_ones(tmp_path):
    origin.claim(tmp_path, tmp_path / RAW, LABEL)
    origin.claim(tmp_path, tmp_path / RAW, LABEL)
    with pytest.raises(StoreConflict, match="simulated market"):
        origin.claim(tmp_path, tmp_path / RAW, "")


def test_the_store_too_holds_one_sort_only(tmp_path):
    real, invented = tmp_path / "real", tmp_path / "invented"
    Lake(real).write([bars("binance")])
    Lake(invented).write([bars(LABEL)])
    for store, table in (
        (real, bars(LABEL, first=T0 + 60_000_000)),
        (real, bars("somebody", venue="sim_perp")),
        (invented, bars("binance", first=T0 + 60_000_000)),
    ):
        before = Lake(store).series()
        with pytest.raises(StoreConflict, match="a store of its own"):
            Lake(store).write([table])
        assert Lake(store).series() == before
    for store, label in ((real, LABEL), (invented, "")):
        with pytest.raises(StoreConflict, match="of their own"):
            origin.claim(store, store / RAW, label)


def test_a_label_is_one_printable_line_with_the_mark_first():
    assert labelled("a\nb\x1b[31m") == "SIMULATED a b [31m"
    assert labelled("SIMULATED a") == "SIMULATED a"
    assert len(labelled("x" * 1_000)) <= 211
    assert sourced("", ("heard live",)) == ("heard live",)

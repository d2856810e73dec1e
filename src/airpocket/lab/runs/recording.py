"""A whole run into a folder: public tables in the store's kinds, the truth beside them, and what made it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from airpocket.domain.errors import BadInput
from airpocket.domain.events import IntArray
from airpocket.domain.simulated import SIMULATED
from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.lab.exchange import journal
from airpocket.lab.runs.chains import chain_tables
from airpocket.lab.runs.published import Listed, account_table, depth_now, depth_table, tables_of
from airpocket.lab.runs.session import Session
from airpocket.lab.runs.truth import Survey, agents_of, cross_accounts, forced_flow
from airpocket.lab.runs.worldfile import World
from airpocket.lab.tables import BundledTable

KEPT = tuple(kind for kind in range(1, 14) if kind != journal.DEPTH)
BOOK_COLUMNS = ("kind", "ts", "book", "tick", "lots", "side", "change", "zero")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """truth_every_min: minutes between looks at all positions. book: keep every change of every book."""

    truth_every_min: int = 5
    book: bool = False


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run did. hash: of the whole journal, equal for equal world and seed."""

    world: str
    seed: int
    hash: str
    events: int
    rows: int
    first: int  # ns
    last: int
    files: dict[str, int]  # rows by file


def run_world(
    world: World, seed: int, out: Path, settings: RunSettings, told: Callable[[float], None]
) -> Ran:
    """Runs a world from start to end and writes the folder; `told` hears the share done.

    Raises:
        BadInput: the folder exists and holds something.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out}: already holds something; name a new folder")
    session = Session(world, seed)
    m, contracts = session.market, contracts_of(world, seed)
    agents = agents_of(m)
    survey = Survey(agents, cross_accounts(m, agents))
    kept: list[IntArray] = []
    depth: dict[int, list[tuple[int, float, float, float]]] = {k: [] for k in range(len(contracts))}
    (out / "truth").mkdir(parents=True, exist_ok=True)
    survey.look(m, contracts)
    book_rows, total = _BookFiles(out if settings.book else None), 0
    minutes = -(-(session.end - session.now) // MINUTE_NS)
    for minute in range(1, minutes + 1):
        for rows in session.until(min(session.end, world.start_ns + minute * MINUTE_NS)):
            total += len(rows)
            book_rows.add(rows)
            kept.append(rows[rows[:, 0] != journal.DEPTH])
        for listed in contracts:
            depth[listed.book] += [(session.now, *band) for band in depth_now(m, listed.book)]
        if minute % settings.truth_every_min == 0 or minute == minutes:
            survey.look(m, contracts)
        told(minute / minutes)
    rows = np.concatenate(kept)
    tables = [table for listed in contracts for table in tables_of(m, listed, rows)]
    tables += [
        depth_table(listed, depth[listed.book]) for listed in contracts if depth[listed.book]
    ]
    tables += _accounts(world, contracts, survey)
    tables += chain_tables(world, m, rows, contracts[0].source)
    files = _write(out, tables) | book_rows.closed() | _write_truth(out, session, survey, rows)
    ran = Ran(
        world.name, seed, session.hash, session.events, total, world.start_ns, session.now, files
    )
    (out / "world.json").write_bytes(msgspec.json.format(msgspec.json.encode(world)))
    (out / "run.json").write_bytes(msgspec.json.format(msgspec.json.encode(ran)))
    return ran


def source_of(world: World, seed: int) -> str:
    """The label of everything that a run tells."""
    return f"{SIMULATED} {world.name}, seed {seed}"


def _accounts(world: World, contracts: Sequence[Listed], survey: Survey) -> list[BundledTable]:
    """Hourly rounds, and the last, of the venues whose accounts are public."""
    looks = survey.positions()
    found: list[BundledTable] = []
    for listed in contracts:
        if world.venue[listed.book].rules != "hyperliquid" or not looks.height:
            continue
        mine = looks.filter(pl.col("venue") == listed.venue)
        hourly = (pl.col("ts").dt.epoch("us") % (HOUR_NS // 1_000) == 0) | (
            pl.col("ts") == pl.col("ts").max()
        )
        table = account_table(listed, mine.filter(hourly))
        if table is not None:
            found.append(table)
    return found


def contracts_of(world: World, seed: int) -> list[Listed]:
    """The world's contracts by book, with the label that every row of theirs carries."""
    source = source_of(world, seed)
    return [Listed(k, venue.name, venue.symbol, source) for k, venue in enumerate(world.venue)]


def _write(out: Path, tables: Sequence[BundledTable]) -> dict[str, int]:
    """One file a kind, with venue and symbol as columns; rows by file."""
    kinds: dict[str, list[pl.DataFrame]] = {}
    for table in tables:
        frame = table.frame.select(
            pl.lit(table.venue).alias("venue"), pl.lit(table.symbol).alias("symbol"), pl.all()
        )
        kinds.setdefault(table.kind, []).append(frame)
    return {
        f"{kind}.parquet": _put(out / f"{kind}.parquet", pl.concat(frames))
        for kind, frames in sorted(kinds.items())
    }


def _write_truth(out: Path, session: Session, survey: Survey, rows: IntArray) -> dict[str, int]:
    contracts = contracts_of(session.world, session.seed)
    fair = rows[rows[:, 0] == journal.FAIR]
    tick = float(session.market.books[0].tick_usd)
    frames = {
        "positions": survey.positions(),
        "ladder": survey.ladder(),
        "forced": forced_flow(session.market, contracts, rows),
        "fair": pl.DataFrame({"ts": fair[:, 1] // 1_000, "fair_usd": fair[:, 3] * tick / 1_000.0})
        .with_columns(pl.col("ts").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")),
    }  # fmt: skip
    return {
        f"truth/{name}.parquet": _put(out / "truth" / f"{name}.parquet", frame)
        for name, frame in frames.items()
    }


def _put(path: Path, frame: pl.DataFrame) -> int:
    temporary = path.with_suffix(".tmp")
    frame.write_parquet(temporary, compression="zstd", statistics=True)
    temporary.replace(path)
    return frame.height


class _BookFiles:
    """Book changes in files of a few million rows, in order."""

    def __init__(self, out: Path | None) -> None:
        self._folder = None if out is None else out / "book"
        self._waiting: list[IntArray] = []
        self._files: dict[str, int] = {}

    def add(self, rows: IntArray) -> None:
        if self._folder is not None:
            self._waiting.append(rows[rows[:, 0] == journal.DEPTH])
            if sum(map(len, self._waiting)) > 2_000_000:
                self._flush()

    def closed(self) -> dict[str, int]:
        if self._waiting:
            self._flush()
        return self._files

    def _flush(self) -> None:
        assert self._folder is not None
        self._folder.mkdir(exist_ok=True)
        rows = np.concatenate(self._waiting)
        frame = pl.DataFrame({name: rows[:, k] for k, name in enumerate(BOOK_COLUMNS)})
        name = f"part-{len(self._files):05d}.parquet"
        self._files[f"book/{name}"] = _put(self._folder / name, frame.drop("kind", "zero"))
        self._waiting = []

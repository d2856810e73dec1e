"""A write killed at any durable step leaves the old store or the new one, and the next write succeeds."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from ingest.lake_samples import bars, files_of, trades

from airpocket.ingest.lake import Lake

# Forks a process for each line "ROOT<tab>N" it reads: that one extends one file, adds two, and kills
# itself at its Nth durable step. Answers with its end and the steps it came through.
PROGRAM = """
import json, os, signal, sys
from pathlib import Path
from airpocket.ingest import disk
from airpocket.ingest.lake import Lake
from ingest.lake_samples import bars, trades

def write_and_die(root, fatal, log):
    def step(name):
        os.write(log, name.encode() + b"\\n")
        step.count += 1
        if step.count == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
    step.count = 0
    disk.step = step
    Lake(root).write([bars(6), trades(4)])

for line in sys.stdin:
    root, fatal = line.rstrip().split("\\t")
    out, log = os.pipe()
    child = os.fork()
    if child == 0:
        write_and_die(Path(root), int(fatal), log)
        os._exit(0)
    os.close(log)
    with os.fdopen(out) as steps:
        names = steps.read().splitlines()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps([status, names]), flush=True)
"""

READER = duckdb.connect(":memory:")

OLD = {"bar_1h": [100.0, 100.25, 100.5]}
NEW = {
    "bar_1h": [100.0, 100.25, 100.5, 100.75, 101.0, 101.25],
    "trade": [100.0, 101.0, 102.0, 103.0],
}


Kill = Callable[[Path, int], tuple[int, list[str]]]


@pytest.fixture(scope="module")
def kill() -> Iterator[Kill]:
    """Run the write in a process of its own that dies at a step (0: never): exit status and steps."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "POLARS_MAX_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def run(root: Path, fatal: int) -> tuple[int, list[str]]:
            server.stdin.write(f"{root}\t{fatal}\n")
            server.stdin.flush()
            return tuple(json.loads(server.stdout.readline()))

        yield run
        server.stdin.close()


def visible(root: Path) -> dict[str, list[float]]:
    """What the documented layout says is in the store; shares no code with it."""
    path = root / "lake" / "manifest.jsonl"
    if not path.exists():
        assert not list(root.rglob("*.parquet"))
        return {}
    first, _, body = path.read_bytes().partition(b"\n")
    _, version, digest = first.split(b" ")
    assert (
        hashlib.sha256(b"airpocket-lake " + version + b"\n" + body).hexdigest().encode() == digest
    )
    rows: dict[str, list[tuple]] = {}
    for entry in map(json.loads, body.splitlines()):
        file = root / "lake" / entry["path"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == entry["sha256"]
        price = "close" if entry["kind"] == "bar_1h" else "price"
        found = READER.read_parquet(str(file)).project(f"epoch_us(ts), {price}").fetchall()
        assert len(found) == entry["rows"]
        rows.setdefault(entry["kind"], []).extend(found)
    return {kind: [value for _, value in sorted(found)] for kind, found in rows.items()}


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory, kill: Kill) -> dict[str, list[str]]:
    """The durable steps of a whole write, into a store that exists and into none."""
    found = {}
    for name, old in (("existing", True), ("none", False)):
        root = tmp_path_factory.mktemp(name) / "store"
        if old:
            Lake(root).write([bars(3)])
        status, found[name] = kill(root, 0)
        assert status == 0
    return found


def test_the_steps_come_in_the_order_that_makes_a_commit(steps: dict[str, list[str]]) -> None:
    file = ["folder made", "temporary opened", "written", "synced", "renamed"]
    existing = steps["existing"]
    assert existing[:15] == file * 3
    folders = existing[15 : existing.index("folder made", 15)]
    assert set(folders) == {"folder synced"}
    assert existing[15 + len(folders) :] == [*file, "folder synced", "removed"]


@pytest.mark.parametrize("before", ["existing", "none"])
@pytest.mark.fault("S03")
def test_a_kill_at_any_step_leaves_the_old_or_the_new_state(
    before: str, steps: dict[str, list[str]], kill: Kill, tmp_path: Path
) -> None:
    old = OLD if before == "existing" else {}
    whole = tmp_path / "whole"
    Lake(whole).write([bars(6), trades(4)])
    outcomes = []
    for fatal in range(1, len(steps[before]) + 1):
        root = tmp_path / str(fatal)
        if old:
            Lake(root).write([bars(3)])
        assert kill(root, fatal) == (-signal.SIGKILL, steps[before][:fatal])

        state = visible(root)
        assert state in (old, NEW), (fatal, steps[before][fatal - 1])
        outcomes.append(state == NEW)
        seen = {one.kind: one.rows for one in Lake(root).series()}
        assert seen == {kind: len(values) for kind, values in state.items()}

        Lake(root).write([bars(6), trades(4)])  # running again works, and sweeps
        assert visible(root) == NEW
        assert Lake(root).verify() == []
        assert files_of(root) == files_of(whole)
    # there is one moment of commit: everything before it is old, everything after it new
    assert outcomes == sorted(outcomes)
    commit = max(n for n, name in enumerate(steps[before]) if name == "renamed")
    assert outcomes.index(True) == commit


@pytest.mark.fault("S03")
def test_what_a_killed_write_left_is_reported_and_never_read(
    steps: dict[str, list[str]], kill: Kill, tmp_path: Path
) -> None:
    Lake(tmp_path).write([bars(3)])
    second_renamed = [n for n, name in enumerate(steps["existing"], 1) if name == "renamed"][1]
    kill(tmp_path, second_renamed)
    lake = Lake(tmp_path)
    assert len(lake.read("bar_1h", "binance", "BTCUSDT")) == 3
    damages = lake.verify()
    assert len(damages) == 2
    assert all("not listed" in damage.problem for damage in damages)
    lake.write([bars(3)])
    assert lake.verify() == []

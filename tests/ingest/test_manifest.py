"""The manifest: exact round trips, every flipped bit found, safe folder names, one writer at a time."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.errors import StoreBusy, StoreDamaged, StoreError
from airpocket.ingest import disk, manifest
from airpocket.ingest.manifest import Entry

HERE = Path("manifest.jsonl")


def entry(symbol: str = "BTCUSDT", day: str = "2025-10-10", schema: int = 1) -> Entry:
    digest = hashlib.sha256(f"{symbol}{day}".encode()).hexdigest()
    folder = f"kind=bar_1m/venue=binance/symbol={manifest.safe_component(symbol)}/day={day}"
    return Entry(
        path=f"{folder}/part-{digest[:12]}.parquet",
        kind="bar_1m",
        venue="binance",
        symbol=symbol,
        sha256=digest,
        size=579,
        rows=1440,
        ts_first=1_760_054_400_000_000_000,
        ts_last=1_760_140_740_000_000_000,
        usable_first=1_760_054_460_000_000_000,
        usable_last=1_760_140_800_000_000_000,
        sources=("a.csv", "b.csv"),
        schema=schema,
    )


def signed(version: int, body: bytes) -> bytes:
    """A manifest as the documentation describes it, written without the code under test."""
    digest = hashlib.sha256(b"airpocket-lake %d\n" % version + body).hexdigest()
    return b"airpocket-lake %d %s\n" % (version, digest.encode()) + body


def test_what_is_encoded_is_decoded_by_partition() -> None:
    entries = [entry("BTCUSDT"), entry("币安人生USDT"), entry("BTCUSDT", "2025-10-11")]
    decoded = manifest.decode(manifest.encode(entries), HERE)
    assert sorted(decoded.values(), key=lambda e: e.path) == sorted(entries, key=lambda e: e.path)
    assert all(one.path.startswith(partition + "/part-") for partition, one in decoded.items())


def test_the_order_of_entries_does_not_change_the_bytes() -> None:
    entries = [entry("A"), entry("B"), entry("C")]
    assert manifest.encode(entries) == manifest.encode(entries[::-1])


def test_a_program_of_ten_lines_can_read_and_check_the_manifest() -> None:
    raw = manifest.encode([entry("A"), entry("B")])
    head, _, body = raw.partition(b"\n")
    assert raw == signed(1, body)
    assert head.startswith(b"airpocket-lake 1 ")
    assert [json.loads(line)["symbol"] for line in body.splitlines()] == ["A", "B"]


RAW = manifest.encode([entry("A"), entry("币安人生USDT")])


@given(st.integers(0, len(RAW) * 8 - 1))
def test_any_flipped_bit_is_found(bit: int) -> None:
    damaged = bytearray(RAW)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(StoreDamaged, match=r"manifest\.jsonl"):
        manifest.decode(bytes(damaged), HERE)


@given(st.integers(0, len(RAW) - 1))
def test_any_cut_is_found(length: int) -> None:
    with pytest.raises(StoreDamaged):
        manifest.decode(RAW[:length], HERE)


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_without_a_crash(raw: bytes) -> None:
    with pytest.raises(StoreDamaged):
        manifest.decode(raw, HERE)


@pytest.mark.fault("S14")
def test_a_newer_format_is_refused_with_advice() -> None:
    with pytest.raises(StoreError, match=r"format 2 is newer .* upgrade") as caught:
        manifest.decode(signed(2, b'{"anything": 1}\n'), HERE)
    assert not isinstance(caught.value, StoreDamaged)


@pytest.mark.fault("S14")
def test_a_newer_schema_is_refused_with_advice() -> None:
    with pytest.raises(StoreError, match=r"schema 2, newer .* upgrade"):
        manifest.decode(manifest.encode([entry(schema=2)]), HERE)


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "kind=bar_1m/venue=x/symbol=y/day=2025-10-10/../../part-0123456789ab.parquet",
        "kind=bar_1m/venue=x/symbol=y/day=2025-10-10/part-0123456789ab.parquet\n",
        "kind=bar_1m/venue=x/symbol=y/day=2025-10-10/other.parquet",
    ],
)
def test_a_signed_manifest_that_points_outside_the_store_is_refused(path: str) -> None:
    line = json.loads(manifest.encode([entry()]).splitlines()[1]) | {"path": path}
    with pytest.raises(StoreDamaged, match="no path of the store"):
        manifest.decode(signed(1, json.dumps(line).encode() + b"\n"), HERE)


def test_a_partition_listed_twice_is_refused() -> None:
    line = RAW.splitlines()[1] + b"\n"
    with pytest.raises(StoreDamaged, match="twice"):
        manifest.decode(signed(1, line + line), HERE)


@given(st.text(min_size=1))
def test_a_folder_name_is_short_plain_ascii_without_separators(text: str) -> None:
    name = manifest.safe_component(text)
    assert 0 < len(name) <= 150
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~%+")


@given(st.text(min_size=1), st.text(min_size=1))
def test_distinct_texts_have_distinct_folder_names(one: str, other: str) -> None:
    assert (manifest.safe_component(one) == manifest.safe_component(other)) == (one == other)


@pytest.mark.fault("V16")
def test_long_texts_that_differ_only_at_the_end_have_distinct_folder_names() -> None:
    names = {manifest.safe_component("币" * 1000 + tail) for tail in ("", "a", "b", "币")}
    assert len(names) == 4
    assert manifest.safe_component(next(iter(names))) not in names


def test_a_store_that_another_process_writes_is_busy_and_its_pid_is_named(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from airpocket.ingest import manifest\n"
        "with manifest.writing(Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert disk.is_held(tmp_path)
        with pytest.raises(StoreBusy, match=f"process {other.pid} "), manifest.writing(tmp_path):
            pass
        other.kill()
    assert not disk.is_held(tmp_path)
    with manifest.writing(tmp_path) as entries:  # the lock dies with its process
        assert entries == {}


def test_two_writers_in_one_process_exclude_each_other(tmp_path: Path) -> None:
    with (
        manifest.writing(tmp_path),
        pytest.raises(StoreBusy, match=f"process {os.getpid()} "),
        manifest.writing(tmp_path),
    ):
        pass


def test_a_missing_manifest_beside_files_is_damage_and_nothing_is_swept(tmp_path: Path) -> None:
    part = tmp_path / entry().path
    part.parent.mkdir(parents=True)
    part.write_bytes(b"PAR1")
    with pytest.raises(StoreDamaged, match="manifest is missing"):
        manifest.load(tmp_path)
    with pytest.raises(StoreDamaged), manifest.writing(tmp_path):
        pass
    assert part.exists()


def test_sweeping_spares_files_that_the_store_did_not_write(tmp_path: Path) -> None:
    listed = entry("A")
    folder = tmp_path / listed.partition
    folder.mkdir(parents=True)
    ours = [folder / "part-0123456789ab.parquet", folder / ".part-0123456789ab.parquet.tmp"]
    others = [folder / "notes.txt", folder / "part-mine.parquet", tmp_path / listed.path]
    for file in (*ours, *others):
        file.write_bytes(b"x")
    manifest.sweep(tmp_path, {listed.partition: listed})
    assert [file.exists() for file in ours] == [False, False]
    assert all(file.exists() for file in others)


def test_every_rename_follows_a_sync_and_the_commit_follows_the_sync_of_all_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, str]] = []
    fsync, replace = os.fsync, Path.replace

    def seen_fsync(handle: int) -> None:
        calls.append(
            ("fsync", os.path.relpath(Path(f"/proc/self/fd/{handle}").readlink(), tmp_path))
        )
        fsync(handle)

    def seen_replace(self: Path, target: Path) -> Path:
        calls.append(("rename", str(target.relative_to(tmp_path))))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "fdatasync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    one = entry("A")
    disk.put(tmp_path / one.path, b"data")
    manifest.sync_folders(tmp_path, [one.path])
    manifest.commit(tmp_path, {one.partition: one})

    parts = one.path.split("/")
    folders = ["/".join(parts[:depth]) for depth in range(4, 0, -1)] + ["."]
    assert calls == [
        ("fsync", "/".join([*parts[:-1], f".{parts[-1]}.tmp"])),
        ("rename", one.path),
        *[("fsync", folder) for folder in folders],
        ("fsync", ".manifest.jsonl.tmp"),
        ("rename", "manifest.jsonl"),
        ("fsync", "."),
    ]

"""Checkpoints on disk: bit for bit what was saved, or nothing; damage, full disks and company cost no answer."""

import errno
import os
import resource
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_by

from airpocket.domain.checkpoints import Mark
from airpocket.ingest.checkpoints import PER_KEY, CheckpointFolder, decode, encode

MARK = Mark("a key", 12, "0123456789abcdef" * 4)
ARRAYS = {
    "0.cells": np.array([[0.0, -0.0, 1.5], [np.nan, np.inf, 5e-324]]),
    "0.counts": np.array([3, 0, -1]),
    "0.empty": np.zeros((2, 0, 3)),
    "1.up": np.array([True, False, True]),
}


@pytest.fixture
def said():
    return []


@pytest.fixture
def folder(tmp_path, said):
    return CheckpointFolder(tmp_path / "cache", "this code", said.append)


def kept(tmp_path):
    return sorted((tmp_path / "cache").glob("*.checkpoint"))


def assert_same(found, arrays=ARRAYS):
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_what_was_saved_comes_back_and_may_be_changed(folder, tmp_path, said):
    assert folder.load(MARK) is None
    assert folder.counts("a key") == set()
    folder.save(MARK, ARRAYS)
    assert folder.counts("a key") == {12}
    assert folder.counts("a") == set()
    found = folder.load(MARK)
    assert_same(found)
    found["0.cells"][0, 0] = 7.0
    assert_same(folder.load(MARK))
    assert not said
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache").iterdir()}
    assert modes == {0o600}
    tag = (tmp_path / "cache" / "CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


ANY = st.sampled_from([np.float64, np.int64, np.bool_]).flatmap(
    lambda dtype: arrays_by.arrays(
        dtype, arrays_by.array_shapes(min_dims=1, min_side=0, max_side=9)
    )
)


@settings(max_examples=40)
@given(arrays=st.dictionaries(st.text(max_size=5), ANY, max_size=4))
def test_any_arrays_come_back_bit_for_bit(arrays):
    assert_same(decode(encode(MARK, arrays), MARK), arrays)


@given(data=st.data())
def test_a_file_with_any_byte_changed_or_missing_is_refused(data):
    whole = encode(MARK, ARRAYS)
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[at] ^= data.draw(st.integers(1, 255))
    for raw in (bytes(flipped), whole[:at], whole + whole[: at + 1]):
        with pytest.raises(ValueError, match=r"."):
            decode(raw, MARK)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"",
        lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
        lambda raw: raw.replace(b"checkpoint 1", b"checkpoint 2"),
    ],
    ids=["cut", "empty", "flipped", "of another format"],
)
def test_a_damaged_file_is_named_dropped_and_not_used(folder, tmp_path, said, spoil):
    folder.save(MARK, ARRAYS)
    (path,) = kept(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))
    assert folder.load(MARK) is None
    assert [str(path) in line and "damaged and not used" in line for line in said] == [True]
    assert not path.exists()
    folder.save(MARK, ARRAYS)
    assert_same(folder.load(MARK))


def test_a_file_under_the_name_of_another_is_not_used(folder, tmp_path, said):
    folder.save(MARK, ARRAYS)
    other = replace(MARK, digest="f" * 64)
    (path,) = kept(tmp_path)
    path.rename(path.with_name(path.name.replace(MARK.digest[:24], "f" * 24)))
    assert folder.load(other) is None
    assert "another state" in said[0]


@pytest.mark.parametrize(
    "other",
    [{"key": "another key"}, {"rows": 11}, {"digest": "f" * 64}],
    ids=lambda o: next(iter(o)),
)
def test_nothing_is_found_under_another_mark(folder, said, other):
    folder.save(MARK, ARRAYS)
    assert folder.load(replace(MARK, **other)) is None
    assert not said


def test_other_code_finds_nothing(folder, tmp_path, said):
    folder.save(MARK, ARRAYS)
    other = CheckpointFolder(tmp_path / "cache", "other code", said.append)
    assert other.load(MARK) is None
    assert other.counts("a key") == set()


def test_of_a_key_those_used_last_stay(folder, tmp_path):
    marks = [replace(MARK, rows=rows, digest=str(rows) * 64) for rows in range(1, 8)]
    for at, mark in enumerate(marks):
        folder.save(mark, ARRAYS)
        name = next(path for path in kept(tmp_path) if f"-{mark.rows}-" in path.name)
        os.utime(name, ns=(at, at))
        if at == PER_KEY - 1:
            assert folder.load(marks[0]) is not None  # used: now it is the youngest
    assert len(kept(tmp_path)) == PER_KEY
    assert 1 in folder.counts("a key")
    assert {7, 6} < set(folder.counts("a key"))


def test_the_folder_stays_within_its_bytes(tmp_path, said):
    size = len(encode(MARK, ARRAYS))
    folder = CheckpointFolder(tmp_path / "cache", "code", said.append, most_bytes=5 * size // 2)
    for number in range(5):
        folder.save(replace(MARK, key=f"key {number}"), ARRAYS)
    assert len(kept(tmp_path)) == 2
    assert folder.load(replace(MARK, key="key 4")) is not None


def test_what_a_killed_process_left_is_swept_and_what_one_writes_is_not(folder, tmp_path):
    folder.save(MARK, ARRAYS)
    old, new = (tmp_path / "cache" / f".{name}.unfinished" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, ns=(1, 1))
    folder.save(MARK, ARRAYS)
    assert not old.exists()
    assert new.exists()


def test_a_full_disk_leaves_nothing_behind_and_is_said(folder, tmp_path, said):
    folder.save(MARK, ARRAYS)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        folder.save(replace(MARK, rows=13), {"0.cells": np.ones(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "nothing was kept" in said[0]
    assert len(list((tmp_path / "cache").iterdir())) == 2  # the first one and the tag
    assert_same(folder.load(MARK))


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EROFS, 0), (errno.EACCES, 0), (errno.EIO, 1), (errno.ENOSPC, 1)]
)
def test_a_folder_that_can_not_be_written_is_no_error(folder, said, monkeypatch, number, words):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    folder.save(MARK, ARRAYS)
    assert folder.load(MARK) is None
    assert len(said) == words


def test_something_else_in_the_folders_place_is_no_error(tmp_path, said):
    (tmp_path / "cache").write_text("a file")
    folder = CheckpointFolder(tmp_path / "cache", "code", said.append)
    assert folder.counts("a key") == set()
    folder.save(MARK, ARRAYS)
    assert folder.load(MARK) is None


WORKER = """
import sys
from pathlib import Path
import numpy as np
from airpocket.domain.checkpoints import Mark
from airpocket.ingest.checkpoints import CheckpointFolder
said = []
folder = CheckpointFolder(Path(sys.argv[1]), "code", said.append, most_bytes=150_000)
for turn in range(150):
    rows = turn % 7 + 1
    mark = Mark("key", rows, f"{rows:064x}")
    folder.save(mark, {"a": np.full(rows * 1_000, float(rows))})
    assert folder.counts("other") == set()
    found = folder.load(Mark("key", (rows + 2) % 7 + 1, f"{(rows + 2) % 7 + 1:064x}"))
    assert found is None or (found["a"] == (rows + 2) % 7 + 1).all()
assert not said, said
"""


def test_processes_that_save_load_and_drop_at_once_never_see_half_a_file(tmp_path):
    command = [sys.executable, "-c", WORKER, str(tmp_path / "cache")]
    source = str(Path(__file__).resolve().parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source}
    running = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert not list((tmp_path / "cache").glob(".*.unfinished"))

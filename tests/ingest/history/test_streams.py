"""Packed files piece by piece: the same lines whatever the packing and the size of a piece, damage never silent."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest.history.archive_samples import packed

from airpocket.domain.errors import BadTable
from airpocket.ingest.history import streams

NAMES = ("a.zip", "a.gz", "a.tar.gz", "a.lz4", "a.data")
OURS = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
LINES = st.lists(st.text("ab{} é", max_size=30), max_size=20)


@pytest.mark.parametrize("name", NAMES)
@given(texts=LINES, piece=st.integers(1, 50), ended=st.booleans())
@OURS
def test_lines_and_their_numbers_survive_packing(
    name: str, texts: list[str], piece: int, ended: bool, tmp_path: Path
) -> None:
    text = "\n".join(texts) + ("\n" if ended else "")
    path = tmp_path / name
    path.write_bytes(packed(name, text))
    expected = [
        (number, line.encode()) for number, line in enumerate(text.split("\n"), 1) if line.strip()
    ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "_PIECE", piece)
        assert list(streams.lines(path, name)) == expected


CONTENT = "".join(f'{{"row":{n},"text":"{n * n}"}}\n' for n in range(200))


@pytest.mark.parametrize("name", NAMES[:-1])
@given(data=st.data())
@OURS
def test_a_file_cut_anywhere_is_refused(name: str, data: st.DataObject, tmp_path: Path) -> None:
    whole = packed(name, CONTENT)
    path = tmp_path / name
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])

    try:
        told = list(streams.lines(path, name))
    except BadTable:
        return
    # nothing at all is no damage a stream could see; its reader refuses a file that tells nothing
    assert told == []


@pytest.mark.parametrize("name", NAMES[:-1])
@given(data=st.data(), flip=st.integers(1, 255))
@OURS
def test_a_flipped_byte_is_refused_or_changes_nothing(
    name: str, data: st.DataObject, flip: int, tmp_path: Path
) -> None:
    content = bytearray(packed(name, CONTENT))
    content[data.draw(st.integers(0, len(content) - 1))] ^= flip
    path = tmp_path / name
    path.write_bytes(content)

    try:
        told = list(streams.lines(path, name))
    except BadTable:
        return
    assert [line for _, line in told] == CONTENT.encode().split(b"\n")[:-1]


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_LINE", 1_000)
    monkeypatch.setattr(streams, "_PIECE", 100)
    path = tmp_path / "a.data"
    path.write_bytes(b"short\n" + b"x" * 5_000)

    with pytest.raises(BadTable, match="row 2: has a line of more than 0 MiB"):
        list(streams.lines(path, "a.data"))

"""The manifest of the store: what is listed, how a commit reaches the disk, who may write."""

import hashlib
import os
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec import Struct

from airpocket.domain.errors import StoreDamaged, StoreError
from airpocket.ingest import disk

FORMAT = 1  # of the manifest file
SCHEMA = 1  # of the Parquet files it lists
MANIFEST = "manifest.jsonl"

_HEADER = re.compile(rb"airpocket-lake ([1-9][0-9]{0,5}) ([0-9a-f]{64})\n")
_PATH = re.compile(
    r"kind=[a-z0-9_]+/venue=[^/\0]+/symbol=[^/\0]+/(?:day|month)=[0-9-]+/part-[0-9a-f]{12}\.parquet"
)
_OURS = re.compile(
    r"part-[0-9a-f]{12}\.parquet|\.part-[0-9a-f]{12}\.parquet\.tmp|\.manifest\.jsonl\.tmp"
)
_LONGEST = 150  # characters of a path component; file systems allow 255 bytes


class Entry(Struct, frozen=True, kw_only=True):
    """One file of the store; `path` is relative to the lake folder, times are ns."""

    path: str
    kind: str
    venue: str
    symbol: str
    sha256: str
    size: int  # bytes
    rows: int
    ts_first: int
    ts_last: int
    usable_first: int
    usable_last: int
    sources: tuple[str, ...]
    schema: int = SCHEMA

    @property
    def partition(self) -> str:
        """The folder that holds the file: one day or month of one series."""
        return self.path.rpartition("/")[0]


_ENTRY = msgspec.json.Decoder(Entry)


def safe_component(text: str) -> str:
    """Any text as part of one folder name, distinct for distinct texts, at most 150 ASCII characters.

    Letters, digits and `_.-~` stay, the rest is percent-encoded UTF-8. What is longer is cut and ends
    in `+` and a digest: `+` never occurs otherwise, because it is encoded.
    """
    encoded = quote(text, safe="")
    if len(encoded) <= _LONGEST:
        return encoded
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return f"{encoded[: _LONGEST - 33]}+{digest}"


def encode(entries: Iterable[Entry]) -> bytes:
    """The manifest as bytes: a line with format and SHA-256, then one JSON line per file, by path."""
    body = b"".join(
        msgspec.json.encode(entry) + b"\n"
        for entry in sorted(entries, key=lambda entry: entry.path)
    )
    return b"airpocket-lake %d %s\n%s" % (FORMAT, _digest(FORMAT, body), body)


def decode(raw: bytes, path: Path) -> dict[str, Entry]:
    """The entries by partition folder.

    Raises:
        StoreDamaged: a byte is not what was written.
        StoreError: written by a newer version.
    """
    header = _HEADER.match(raw)
    if header is None:
        raise StoreDamaged(f"{path}: the first line is not that of a manifest")
    version, body = int(header[1]), raw[header.end() :]
    if _digest(version, body) != header[2]:
        raise StoreDamaged(f"{path}: the checksum does not match")
    if version > FORMAT:
        raise StoreError(
            f"{path}: format {version} is newer than this airpocket knows ({FORMAT}); upgrade it"
        )
    try:
        entries = _ENTRY.decode_lines(body)
    except msgspec.MsgspecError as error:
        raise StoreDamaged(f"{path}: {error}") from error
    return _by_partition(entries, path)


def _by_partition(entries: list[Entry], path: Path) -> dict[str, Entry]:
    for entry in entries:
        if entry.schema > SCHEMA:
            raise StoreError(
                f"{path}: {entry.path} has schema {entry.schema}, newer than this airpocket knows"
                f" ({SCHEMA}); upgrade it"
            )
        if _PATH.fullmatch(entry.path) is None:
            raise StoreDamaged(f"{path}: {entry.path!r} is no path of the store")
    listed = {entry.partition: entry for entry in entries}
    if len(listed) != len(entries):
        raise StoreDamaged(f"{path}: a partition is listed twice")
    return listed


def _digest(version: int, body: bytes) -> bytes:
    return hashlib.sha256(b"airpocket-lake %d\n" % version + body).hexdigest().encode()


def load(lake: Path) -> dict[str, Entry]:
    """What the lake folder holds, by partition; {} where nothing was ever written.

    Raises:
        StoreDamaged: the manifest is damaged, or missing beside files.
        StoreError: written by a newer version, or unreadable.
    """
    path = lake / MANIFEST
    try:
        return decode(path.read_bytes(), path)
    except FileNotFoundError:
        if any(is_part(found) for found in files_under(lake)):
            raise StoreDamaged(
                f"{path}: the manifest is missing; bring it back from a copy, or delete"
                f" {lake} and import again"
            ) from None
        return {}
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from error


def stamp(lake: Path) -> tuple[int, int, int] | None:
    """What changes when a new manifest is committed; None without a manifest."""
    try:
        status = (lake / MANIFEST).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def files_under(lake: Path) -> Iterator[str]:
    """Every file in the lake folder but lock and manifest, relative to it, in order."""
    for folder, subfolders, names in os.walk(lake):
        subfolders.sort()
        inside = Path(folder).relative_to(lake)
        for name in sorted(names):
            path = (inside / name).as_posix()
            if path not in (disk.LOCK, MANIFEST):
                yield path


def is_part(path: str) -> bool:
    """Whether a relative path is one that the store itself would give to a data file."""
    return _PATH.fullmatch(path) is not None


def is_ours(path: str) -> bool:
    """Whether a file has a name that only the store gives, final or temporary."""
    return _OURS.fullmatch(path.rpartition("/")[2]) is not None


@contextmanager
def writing(lake: Path) -> Generator[dict[str, Entry]]:
    """Hold the store for writing: make it where it is missing, lock it, sweep what a killed write left.

    Yields the entries by partition.

    Raises:
        StoreBusy: another process writes it.
        StoreDamaged: the manifest is damaged.
    """
    disk.make_folder(lake)
    with disk.locked(lake, task="writing this store"):
        entries = load(lake)
        if not (lake / MANIFEST).exists():
            # so that a missing manifest beside files can only mean damage
            commit(lake, {})
        sweep(lake, entries)
        yield entries


def commit(lake: Path, entries: Mapping[str, Entry]) -> None:
    """The one moment at which everything written becomes visible: a new manifest under its final name."""
    disk.put(lake / MANIFEST, encode(entries.values()))
    disk.sync_folder(lake)


def sweep(lake: Path, entries: Mapping[str, Entry]) -> None:
    """Delete files that the store wrote and no longer lists; files of others are left alone."""
    listed = {entry.path for entry in entries.values()}
    remove(
        lake,
        (path for path in files_under(lake) if path not in listed and is_ours(path)),
    )


def remove(lake: Path, paths: Iterable[str]) -> None:
    """Delete files by relative path; a missing one is no error."""
    for path in paths:
        disk.remove(lake / path)


def sync_folders(lake: Path, paths: Iterable[str]) -> None:
    """Make the names of new files durable: their folders and every folder above, up to the lake."""
    folders = {lake}
    for path in paths:
        parent = lake / path
        while (parent := parent.parent) not in folders:
            folders.add(parent)
    for folder in sorted(folders, reverse=True):
        disk.sync_folder(folder)

"""Files into frames of raw cells: CSV as text, Parquet as typed, zip with one member; nothing is converted here."""

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import polars as pl
from polars.exceptions import PanicException, PolarsError

from airpocket.domain.errors import BadMapping, BadTable

SUMS = "SHA256SUMS"
ROW = "__row"  # row in the file, counted from 1 after the header
MAX_BYTES = 2 * 1024**3  # of one unpacked member
MAX_RATIO = 200  # text of an archive packs 3 to 10 times; a bomb a thousand times

_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
)  # fmt: skip
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_GLOB = re.compile(r"[*?\[]")


def find_files(patterns: Sequence[str], root: Path, label: str) -> list[Path]:
    """The files that names and globs stand for, below `root`, each once, in name order per pattern.

    Raises:
        BadMapping: a pattern leaves the folder, or a glob finds nothing.
        BadTable: a named file is not there.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        inner = PurePosixPath(pattern)
        if inner.is_absolute() or ".." in inner.parts:
            raise BadMapping(f"{label}: {pattern!r} must lie below the folder given as --root")
        if not _GLOB.search(pattern):
            if not (root / pattern).is_file():
                raise BadTable(pattern, f"no such file below {root}")
            found[root / pattern] = None
            continue
        matches = [path for path in sorted(root.glob(pattern)) if path.is_file()]
        if not matches:
            raise BadMapping(f"{label}: {pattern!r} finds no file below {root}")
        found.update(dict.fromkeys(matches))
    return list(found)


def read_frame(path: Path, name: str) -> pl.DataFrame:
    """The whole file with its row numbers in `__row`; CSV cells are text, empty ones null.

    Raises:
        BadTable: unreadable, damaged, empty, or no format we read.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        frame = _parquet(path, name)
    elif suffix == ".csv":
        frame = parse_csv(read_bytes(path, name), name)
    elif suffix == ".zip":
        frame = parse_csv(unzip(path, name), name)
    else:
        raise BadTable(name, "is neither .parquet nor .csv nor .zip")
    if frame.height == 0:
        raise BadTable(name, "has a header and no rows")
    return frame.with_row_index(ROW, offset=1)


def _parquet(path: Path, name: str) -> pl.DataFrame:
    content = read_bytes(path, name)
    try:
        frame = pl.read_parquet(io.BytesIO(content), hive_partitioning=False)
    except (PolarsError, PanicException, OSError) as error:  # damage can make the decoder panic
        raise BadTable(name, f"is no readable Parquet file: {first_words(error)}") from error
    if not frame.columns:
        raise BadTable(name, "is empty")
    return frame


def read_bytes(path: Path, name: str) -> bytes:
    """The bytes of a file, verified against its `.CHECKSUM` sibling when there is one.

    Raises:
        BadTable: unreadable, larger than MAX_BYTES, or another SHA-256.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadTable(name, f"is larger than {MAX_BYTES // 1024**2} MiB")
        content = path.read_bytes()
    except OSError as error:
        raise BadTable(name, str(error.strerror or error)) from error
    check_digest(path, lambda: hashlib.sha256(content).hexdigest(), name)
    return content


def parse_csv(content: bytes, name: str, *, header: tuple[str, ...] | None = None) -> pl.DataFrame:
    """CSV bytes as text cells; `header` names the columns of a file that has no header line.

    Raises:
        BadTable: empty, not UTF-8, a byte-order mark, NUL, repeated column names, ragged rows.
    """
    _check_text(content, name)
    try:
        frame = pl.read_csv(
            io.BytesIO(content),
            has_header=header is None,
            infer_schema=False,
        )
    except PolarsError as error:
        raise BadTable(name, f"is no readable CSV: {first_words(error)}") from error
    if header is None:
        _check_header(content, name)
        return frame
    if frame.width != len(header):
        raise BadTable(name, f"has {frame.width} columns, not {len(header)}: {', '.join(header)}")
    return frame.rename(dict(zip(frame.columns, header, strict=True)))


def first_line(content: bytes) -> list[str]:
    """The fields of the first line, for telling a header from data."""
    line = content.split(b"\n", 1)[0].decode("utf-8", "replace").strip("\r")
    return [field.strip('"') for field in line.split(",")]


def _check_text(content: bytes, name: str) -> None:
    if not content.strip():
        raise BadTable(name, "is empty")
    if content.startswith(b"\xef\xbb\xbf"):
        raise BadTable(name, "starts with a byte-order mark; save it as UTF-8 without one", row=0)
    if b"\0" in content:
        raise BadTable(
            name, "holds NUL bytes: not text", row=_row_at(content, content.index(b"\0"))
        )
    try:
        content.decode()
    except UnicodeDecodeError as error:
        row = _row_at(content, error.start)
        raise BadTable(name, f"is not UTF-8 at byte {error.start}", row=row) from error


def _row_at(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position)


def _check_header(content: bytes, name: str) -> None:
    names = first_line(content)
    repeated = next((each for each in names if names.count(each) > 1), None)
    if repeated is not None:
        raise BadTable(name, "appears twice in the header", column=repeated)
    if "" in names:
        raise BadTable(name, f"column {names.index('') + 1} has no name")


def unzip(path: Path, name: str) -> bytes:
    """The only member of a zip.

    Raises:
        BadTable: no zip, damaged, more or fewer than one member, too large, or another SHA-256.
    """
    packed = read_bytes(path, name)
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            return _member(archive, only_member(archive, name), name)
    except ZIP_ERRORS as error:
        raise BadTable(name, f"is no whole zip file: {first_words(error)}") from error


def only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The one file in a zip, stored or deflated.

    Raises:
        BadTable: more or fewer than one, a folder, or packed in another way.
    """
    members = archive.infolist()
    if len(members) != 1 or members[0].is_dir():
        raise BadTable(name, f"must hold exactly one file, not {len(members)}")
    if members[0].compress_type not in _PACKINGS:
        raise BadTable(name, "is packed in a way we do not unpack: store or deflate it")
    return members[0]


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    limit = min(MAX_BYTES, MAX_RATIO * max(member.compress_size, 1024))
    if member.file_size > limit:
        raise BadTable(name, f"unpacks to {member.file_size:,} bytes: refused as a zip bomb")
    with archive.open(member) as stream:
        content = stream.read(limit + 1)  # the declared size may lie
    if len(content) > limit:
        raise BadTable(name, f"unpacks to more than {limit:,} bytes: refused as a zip bomb")
    return content


def check_digest(path: Path, digest: Callable[[], str], name: str) -> None:
    """The file against its `.CHECKSUM` sibling, where there is one; `digest` gives its SHA-256.

    Raises:
        BadTable: another sum, or a sibling that holds none.
    """
    sibling = path.with_name(path.name + ".CHECKSUM")
    if not sibling.is_file():
        return
    words = sibling.read_bytes()[:1024].decode("ascii", "replace").split()
    if not words or not _SHA256.fullmatch(words[0]):
        raise BadTable(sibling.name, "does not start with a SHA-256")
    _compare(digest(), words[0], sibling.name, name)


def read_sums(root: Path) -> dict[str, str]:
    """SHA-256 by file name out of `SHA256SUMS` in the root, as sha256sum writes it; {} without one.

    Raises:
        BadTable: a line is none of `sha256sum`.
    """
    listing = root / SUMS
    if not listing.is_file():
        return {}
    sums: dict[str, str] = {}
    text = listing.read_bytes().decode("utf-8", "replace")
    for row, line in enumerate(text.splitlines(), 1):
        digest, _, name = line.partition(" ")
        if not _SHA256.fullmatch(digest) or not name.strip():
            raise BadTable(SUMS, "is not written like sha256sum does", row=row)
        sums[PurePosixPath(name.lstrip(" *")).as_posix()] = digest
    return sums


def verify(path: Path, name: str, sums: dict[str, str]) -> None:
    """A file that `SHA256SUMS` lists must be what it was: looked at before any decoder reads it."""
    if name in sums:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        _compare(digest, sums[name], SUMS, name)


def _compare(actual: str, listed: str, where: str, name: str) -> None:
    if actual != listed.lower():
        raise BadTable(name, f"has SHA-256 {actual[:12]}…, {where} says {listed[:12]}…")


def first_words(error: BaseException) -> str:
    """The first line of an error's text, or its name."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

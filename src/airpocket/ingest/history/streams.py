"""Packed files (zip, gz, tar.gz, lz4) into lines or bytes, piece by piece and never larger than they may be."""

import hashlib
import importlib
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import IO, TYPE_CHECKING, TypeAlias, cast

from airpocket.domain.errors import BadTable, MissingExtra
from airpocket.ingest.history.files import (
    MAX_BYTES,
    MAX_RATIO,
    ZIP_ERRORS,
    check_digest,
    first_words,
    only_member,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_STREAMED = 16 * 1024**3  # of one file that is read line by line: it never lies in memory
MAX_LINE = 64 * 1024**2
_PIECE = 1024**2
_TAR_PADDING = 4 * _PIECE  # zeros after the last member; read, so that the sum of all is checked

Pieces: TypeAlias = Iterator[bytes]


def lines(path: Path, name: str) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and text of each line of a packed or plain file; empty ones are left out.

    Raises:
        BadTable: damaged, cut short, more than one member, a bomb, a line beyond 64 MiB, another SHA-256.
        MissingExtra: an lz4 file without the package.
    """
    tail = b""
    row = 0  # counted from 1, as messages do
    for piece in _pieces(path, name, MAX_STREAMED):
        found = (tail + piece).split(b"\n")
        tail = found.pop()
        for line in found:
            row += 1
            if line.strip():
                yield row, line
        if len(tail) > MAX_LINE:
            raise BadTable(name, f"has a line of more than {MAX_LINE // 1024**2} MiB", row=row + 1)
    if tail.strip():
        yield row + 1, tail


def content(path: Path, name: str) -> bytes:
    """The whole unpacked file, at most 2 GiB. Raises like `lines`."""
    return b"".join(_pieces(path, name, MAX_BYTES))


def _pieces(path: Path, name: str, most: int) -> Pieces:
    """Unpacked pieces, counted against `most` and the ratio to the packed size."""
    try:
        packed = path.stat().st_size
        check_digest(path, lambda: _digest(path), name)
        with path.open("rb") as file:
            limit = min(most, MAX_RATIO * max(packed, 1024))
            seen = 0
            for piece in _opener(path.name)(file, name):
                seen += len(piece)
                if seen > limit:
                    raise BadTable(name, f"unpacks to more than {limit:,} bytes: refused as a bomb")
                yield piece
    except OSError as error:
        raise BadTable(name, str(error.strerror or first_words(error))) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opener(name: str) -> "Callable[[IO[bytes], str], Pieces]":
    low = name.lower()
    if low.endswith((".tar.gz", ".tgz")):
        return _tar
    return {".zip": _zip, ".gz": _gz, ".lz4": _lz4}.get(PurePosixPath(low).suffix, _plain)


def _plain(file: IO[bytes], name: str) -> Pieces:
    del name
    while piece := file.read(_PIECE):
        yield piece


def _zip(file: IO[bytes], name: str) -> Pieces:
    try:
        with zipfile.ZipFile(file) as archive:
            member = only_member(archive, name)
            with archive.open(member) as stream:
                while piece := stream.read(_PIECE):
                    yield piece
    except ZIP_ERRORS as error:
        raise BadTable(name, f"is no whole zip file: {first_words(error)}") from error


def _gz(file: IO[bytes], name: str) -> Pieces:
    """A gzip file may hold several streams one after another: they are one text (RFC 1952)."""
    stream = zlib.decompressobj(wbits=31)
    begun = False
    try:
        while packed := file.read(_PIECE):
            while packed:
                begun = True
                yield stream.decompress(packed, _PIECE)
                if stream.eof:
                    packed, begun = stream.unused_data, False
                    stream = zlib.decompressobj(wbits=31)
                else:
                    packed = stream.unconsumed_tail
    except zlib.error as error:
        raise BadTable(name, f"is no whole gzip file: {first_words(error)}") from error
    if begun:
        raise BadTable(name, "is no whole gzip file: it is cut short")


def _lz4(file: IO[bytes], name: str) -> Pieces:
    frame = _lz4_frame()
    stream, begun = frame.LZ4FrameDecompressor(), False
    try:
        while packed := file.read(_PIECE):
            while packed or not stream.needs_input:
                begun = True
                yield cast("bytes", stream.decompress(packed, max_length=_PIECE))
                packed = b""
                if stream.eof:
                    packed = cast("bytes", stream.unused_data or b"")
                    stream, begun = frame.LZ4FrameDecompressor(), False
    except RuntimeError as error:
        raise BadTable(name, f"is no whole lz4 file: {first_words(error)}") from error
    if begun:
        raise BadTable(name, "is no whole lz4 file: it is cut short")


def _lz4_frame() -> ModuleType:
    try:
        return importlib.import_module("lz4.frame")
    except ImportError as error:
        raise MissingExtra("import", "archive") from error


def _tar(file: IO[bytes], name: str) -> Pieces:
    """The only member of a tar.gz. Nothing is written to disk, so its name leads nowhere; an odd one is refused."""
    found, packed = 0, _gz(file, name)
    try:
        with tarfile.open(fileobj=_Joined(packed), mode="r|") as archive:
            for member in archive:
                found += 1
                inner = PurePosixPath(member.name)
                if not member.isreg() or inner.is_absolute() or ".." in inner.parts:
                    raise BadTable(name, f"holds {member.name[:60]!r}, which is no plain file")
                if found > 1:
                    raise BadTable(name, "must hold exactly one file, not several")
                stream = archive.extractfile(member)
                assert stream is not None  # a regular file
                while piece := stream.read(_PIECE):
                    yield piece
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BadTable(name, f"is no whole tar file: {first_words(error)}") from error
    if not found:
        raise BadTable(name, "must hold exactly one file, not 0")
    if sum(len(piece) for piece in islice(packed, 1 + _TAR_PADDING // _PIECE)) > _TAR_PADDING:
        raise BadTable(name, "goes on after the end of its tar file")


class _Joined(io.RawIOBase):
    """Pieces as a file to read from, for tarfile."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._left))
        view[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

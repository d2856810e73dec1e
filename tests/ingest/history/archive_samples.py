"""Archive files as venues pack them, made by tests; and the import of one of them."""

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import lz4.frame
from ingest.history.history_samples import NOW, Folder

from airpocket.domain.units import parse_time
from airpocket.ingest.history.load import Import, read_history
from airpocket.live.history import ReplayedBook

DAY_MS = parse_time("2025-05-01T00:00Z") // 1_000_000
MINUTE_MS = 60_000


def packed(name: str, content: str | bytes, *, members: int = 1) -> bytes:
    """Content packed as the file's name says."""
    data = content.encode() if isinstance(content, str) else content
    if name.endswith(".tar.gz"):
        return gzip.compress(tar({f"member{n}.data": data for n in range(members)}), mtime=0)
    if name.endswith(".zip"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(members):
                archive.writestr(f"member{number}.data", data)
        return buffer.getvalue()
    if name.endswith(".lz4"):
        return lz4.frame.compress(data, content_checksum=True)  # as the lz4 tool does
    return gzip.compress(data, mtime=0) if name.endswith(".gz") else data


def said(value: str | bytes) -> str:
    """The id of a case: what it says, and of a file only its size."""
    return value if isinstance(value, str) else f"{len(bytes(value))} bytes"


def tar(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def lines(rows: list[object]) -> str:
    """JSON, one a line."""
    return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)


def read(
    tmp_path: Path, form: str, name: str, content: str | bytes, more: str = "", *, raw: bool = False
) -> Import:
    """One file through one table of this format; text is packed as its name says unless `raw`."""
    folder = Folder(tmp_path)
    data = content if raw and isinstance(content, bytes) else packed(name, content)
    folder.put(name, data)
    mapping = folder.put(
        "mapping.toml",
        f'source = "archive"\nlicence = "its terms"\n[[table]]\nformat = "{form}"\n'
        f'files = "{name}"\n{more}\n',
    )
    return read_history([mapping], tmp_path, now=NOW, new_replay=ReplayedBook)

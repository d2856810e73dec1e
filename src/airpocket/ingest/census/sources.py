"""A file of addresses: one a line, # begins a remark."""

from pathlib import Path

from airpocket.domain.errors import BadInput
from airpocket.ingest.values import BadValue
from airpocket.ingest.venues.hyperliquid.accounts import address_of


def read_addresses(path: Path) -> list[str]:
    """Every address of a file once, in its order, in small letters.

    Raises:
        BadInput: the file can't be read, or a line is no address; names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: can't be read: {error}") from error
    found: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            found[address_of(text)] = None
        except BadValue as error:
            raise BadInput(f"{path}, line {number}: {error}") from error
    if not found:
        raise BadInput(f"{path}: holds no address")
    return list(found)

"""The JSON head of the heatmap's bytes: read, written, and given the sequence under which a client gets it."""

import struct

import msgspec
from msgspec import structs

from airpocket.delivery.serve.models import HeatHead

MAGIC = b"APH1"
_LENGTH = struct.Struct("<I")
_START = len(MAGIC) + _LENGTH.size
_DECODER = msgspec.json.Decoder(HeatHead)


def packed_head(head: HeatHead) -> bytes:
    """Magic, length and head, padded so that what follows begins at a multiple of eight."""
    text = msgspec.json.encode(head)
    text += b" " * (-(_START + len(text)) % 8)
    return MAGIC + _LENGTH.pack(len(text)) + text


def head_of(data: bytes) -> tuple[HeatHead, int]:
    """The head and where it ends.

    Raises:
        ValueError: not a heatmap.
    """
    if data[: len(MAGIC)] != MAGIC:
        raise ValueError("not a heatmap: it does not begin with APH1")
    (length,) = _LENGTH.unpack_from(data, len(MAGIC))
    try:
        return _DECODER.decode(data[_START : _START + length]), _START + length
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a heatmap: {error}") from error


def numbered(data: bytes, epoch: str, sequence: int) -> bytes:
    """The same heatmap as message `sequence` of an epoch."""
    head, end = head_of(data)
    return packed_head(structs.replace(head, epoch=epoch, sequence=sequence)) + data[end:]

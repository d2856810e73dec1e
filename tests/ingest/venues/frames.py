"""Readers of recorded frames, one for each format they are kept in."""

import gzip
import json


def lines(path):
    """One raw frame a line."""
    return [line for line in path.read_bytes().splitlines() if line.strip()]


def stamped(path):
    """gzip text: '<receive ns> <JSON>' a line → (heard, frame)."""
    with gzip.open(path, "rb") as file:
        for line in file:
            heard, _, frame = line.partition(b" ")
            yield int(heard), frame.strip()


def wrapped(path, key="message"):
    """JSONL whose field `key` is the frame, as object or as text."""
    for line in lines(path):
        held = json.loads(line)[key]
        yield held.encode() if isinstance(held, str) else json.dumps(held).encode()


def received(path):
    """cryptofeed's gzip text: '<unix s>: <JSON>' a line → (heard, frame); what was sent is left out."""
    with gzip.open(path, "rb") as file:
        for line in file:
            stamp, separator, frame = line.strip().partition(b": ")
            if separator and stamp.replace(b".", b"").isdigit():
                yield int(float(stamp) * 1e9), frame


def answered(path):
    """cryptofeed's gzip text of REST: '<address> -> <unix s>: <JSON>' a line → (address, body)."""
    with gzip.open(path, "rb") as file:
        for line in file:
            address, arrow, rest = line.strip().partition(b" -> ")
            if arrow:
                yield address.decode(), rest.partition(b": ")[2]

"""A what-if as JSON: keys in the order of the records, times as ISO 8601 text, arrays as lists."""

import msgspec
import numpy as np

from airpocket.cascade.whatif import WhatIf
from airpocket.domain.units import format_time

SCHEMA = "airpocket.whatif/1"


def render(asset: str, found: WhatIf, *, simulated: bool) -> bytes:
    """UTF-8 JSON, indented, ending in a newline. Displacements in per cent, chances 0 to 1, USD, seconds."""
    body = msgspec.to_builtins(found, enc_hook=_listed, str_keys=True)
    for moment in body["trail"]:
        moment["at"] = format_time(moment["at"])
    told = {"schema": SCHEMA, "asset": asset, "simulated": simulated, "provenance": "modelled"}
    told |= {"as_of": format_time(body.pop("now"))} | body
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def _listed(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise NotImplementedError(type(value).__name__)

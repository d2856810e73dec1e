"""Addresses that stand for the accounts of a simulated market, where its venue names them in public."""

import re

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def address_of(account: int) -> str:
    """The address that stands for an account of the simulation."""
    return f"0x{account + 1:040x}"


def number_of(address: str) -> int | None:
    """The account behind an address; −1 for one nobody has, None for what is no address."""
    if not _ADDRESS.fullmatch(address):
        return None
    number = int(address, 16) - 1
    return number if number < 2**31 else -1

"""`airpocket account`: keep read-only keys sealed, and read what an exchange account holds into a position file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.ingest.own.keys import KeyStore
    from airpocket.ingest.own.secret import Secret

_FLAG = Parameter(negative="")


def add(name: str, venue: str, *, file: Path | None = None) -> int:
    """Keep a key: it is asked for, never given as an argument. Make one that can only read.

    Hyperliquid needs none: there an account's public address is asked for.

    Args:
        name: What you call the account.
        venue: binance_usdm, bybit_linear (the unified account), okx, deribit or hyperliquid.
        file: A sealed file (keys.enc) instead of the system's keyring.
    """
    from airpocket.domain.errors import BadInput
    from airpocket.ingest.own.keys import Credentials
    from airpocket.ingest.own.read import VENUES, check_given
    from airpocket.ingest.own.secret import Secret

    if venue not in VENUES:
        raise BadInput(f"{venue!r}: accounts can be read of {', '.join(VENUES)}")
    store, nothing = _store(file), Secret("")
    if VENUES[venue].open:
        address = _asked(f"{venue} address, public: never a private key")
        given = Credentials(venue, address, nothing, nothing)
    else:
        key, secret = _asked(f"{venue} key"), _asked("its secret")
        passphrase = _asked("its passphrase") if venue == "okx" else nothing
        given = Credentials(venue, key, secret, passphrase)
    try:
        check_given(given)
    except BadInput as error:
        raise BadInput(f"{error}; nothing was kept") from None
    store.put(name, given)
    _say(f"kept {name}; airpocket account read {name}")
    return 0


def ls(*, file: Path | None = None) -> int:
    """Names of the accounts whose keys are kept.

    Args:
        file: A sealed file instead of the system's keyring.
    """
    for name in _store(file).names():
        _say(name)
    return 0


def rm(name: str, *, file: Path | None = None) -> int:
    """Forget a key; revoke it at the venue too.

    Args:
        name: The account.
        file: A sealed file instead of the system's keyring.
    """
    _store(file).remove(name)
    _say(f"forgot {name}; revoke the key at the venue too")
    return 0


def read(
    name: str,
    *,
    file: Path | None = None,
    out: Path | None = None,
    allow_trade: Annotated[bool, _FLAG] = False,
) -> int:
    """What an account holds, as a position file for plan and stress.

    Args:
        name: The account.
        file: A sealed file instead of the system's keyring.
        out: Write the position file here instead of printing it.
        allow_trade: Accept a key that may trade. One that may withdraw is never accepted.
    """
    from airpocket.delivery.files import write_text
    from airpocket.domain.units import format_time
    from airpocket.ingest.backfill.session import World
    from airpocket.ingest.own.read import read_account
    from airpocket.ingest.own.written import as_file
    from airpocket.ingest.world import SystemClock

    credentials, clock = _store(file).get(name), SystemClock()
    held = read_account(name, credentials, World(clock, lambda: 0.5), allow_trade=allow_trade)
    text = as_file(held, f"account {name} at {credentials.venue}, read {format_time(clock.now())}")
    if out is None:
        sys.stdout.write(text)
    else:
        write_text(out, text)
        sys.stderr.write(f"wrote {out}\n")
    return 0


def _store(file: Path | None) -> "KeyStore":
    from airpocket.ingest.own.keys import KeyFile, Keyring

    return Keyring() if file is None else KeyFile(file, _asked(f"passphrase of {file.name}"))


def _asked(what: str) -> "Secret":
    """Typed unseen at a terminal, or the next line of what is piped in."""
    from getpass import getpass

    from airpocket.ingest.own.secret import Secret

    if sys.stdin.isatty():
        return Secret(getpass(f"{what}: ").strip())
    return Secret(sys.stdin.readline().strip())


def _say(sentence: str) -> None:
    from airpocket.delivery.cli.printing import say

    say(sentence)

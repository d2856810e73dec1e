"""Keys of exchange accounts: in the system's keyring, or sealed in a file that only its owner can read."""

import base64
import importlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any, Protocol

import msgspec

from airpocket.domain.errors import BadInput, MissingExtra
from airpocket.ingest.own.secret import Secret

_SERVICE, _INDEX = "airpocket", "names of accounts"
_FORMAT = "airpocket.keys/1"
_PASSES, _MEMORY_KIB, _NONCE, _SALT, _KEY = 3, 65_536, 12, 16, 32
_COMMAND, _EXTRA = "account", "accounts"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a request. passphrase: OKX's third part, empty elsewhere."""

    venue: str
    key: Secret
    secret: Secret
    passphrase: Secret


class KeyStore(Protocol):
    """Where credentials lie, by the name the owner gave them."""

    def names(self) -> list[str]: ...
    def get(self, name: str) -> Credentials: ...
    def put(self, name: str, credentials: Credentials) -> None: ...
    def remove(self, name: str) -> None: ...


class Keyring:
    """The operating system's own store.

    Raises:
        MissingExtra: keyring is not installed.
        BadInput: the system has none, or refuses; no such name.
    """

    def __init__(self, backend: object = None) -> None:
        self._ring: Any = backend if backend is not None else _module("keyring")
        self._broken: type[Exception] = _module("keyring.errors").KeyringError

    def names(self) -> list[str]:
        held = self._ask("get_password", _SERVICE, _INDEX)
        return [] if held is None else msgspec.json.decode(held, type=list[str])

    def get(self, name: str) -> Credentials:
        held = self._ask("get_password", _SERVICE, _name(name))
        if held is None:
            raise _nobody(name, self.names())
        return _decoded(held.encode(), "the keyring")

    def put(self, name: str, credentials: Credentials) -> None:
        self._ask("set_password", _SERVICE, _name(name), _encoded(credentials).decode())
        self._index(sorted({*self.names(), name}))

    def remove(self, name: str) -> None:
        if name not in self.names():
            raise _nobody(name, self.names())
        self._ask("delete_password", _SERVICE, name)
        self._index([each for each in self.names() if each != name])

    def _index(self, names: list[str]) -> None:
        self._ask("set_password", _SERVICE, _INDEX, msgspec.json.encode(names).decode())

    def _ask(self, verb: str, *arguments: str) -> str | None:
        try:
            return getattr(self._ring, verb)(*arguments)
        except self._broken as error:
            what = type(error).__name__
            raise BadInput(
                f"no keyring can be used here ({what}); keep keys in a sealed file instead: --file keys.enc"
            ) from None


class _Sealed(msgspec.Struct, frozen=True):
    nonce: bytes
    sealed: bytes


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    salt: bytes
    passes: int
    memory_kib: int
    entries: dict[str, _Sealed]


class KeyFile:
    """A file of sealed entries: Argon2id of a passphrase, then AES-256-GCM with a nonce for each entry.

    The header and an entry's name are authenticated with it, so that neither can be swapped. The file is
    0600 in a folder 0700; anything looser, or a link, is refused.

    Raises:
        MissingExtra: cryptography is not installed.
        BadInput: the file is no key file, too open, or the passphrase is wrong.
    """

    def __init__(self, path: Path, passphrase: Secret) -> None:
        _module("cryptography")
        self._path, self._passphrase = path, passphrase

    def names(self) -> list[str]:
        return sorted(self._read().entries)

    def get(self, name: str) -> Credentials:
        held = self._read()
        if name not in held.entries:
            raise _nobody(name, sorted(held.entries))
        return _decoded(self._open(held, name), str(self._path))

    def put(self, name: str, credentials: Credentials) -> None:
        held = self._read()
        for other in held.entries:  # the same passphrase seals all, or some could never be opened
            self._open(held, other)
            break
        nonce = token_bytes(_NONCE)
        sealed = self._cipher(held).encrypt(
            nonce, _encoded(credentials), _header(held, _name(name))
        )
        self._write(held, {**held.entries, name: _Sealed(nonce, sealed)})

    def remove(self, name: str) -> None:
        held = self._read()
        if name not in held.entries:
            raise _nobody(name, sorted(held.entries))
        self._write(held, {each: one for each, one in held.entries.items() if each != name})

    def _cipher(self, held: _File) -> Any:  # noqa: ANN401 - cryptography comes with the extra
        derive = _module("cryptography.hazmat.primitives.kdf.argon2").Argon2id(
            salt=held.salt, length=_KEY, iterations=held.passes, lanes=1, memory_cost=held.memory_kib
        )  # fmt: skip
        key = derive.derive(self._passphrase.reveal().encode())
        return _module("cryptography.hazmat.primitives.ciphers.aead").AESGCM(key)

    def _open(self, held: _File, name: str) -> bytes:
        wrong = _module("cryptography.exceptions").InvalidTag
        one = held.entries[name]
        try:
            return self._cipher(held).decrypt(one.nonce, one.sealed, _header(held, name))
        except (wrong, ValueError):
            raise BadInput(f"{self._path}: wrong passphrase, or the file was changed") from None

    def _read(self) -> _File:
        if not self._path.exists() and not self._path.is_symlink():
            return _File(_FORMAT, token_bytes(_SALT), _PASSES, _MEMORY_KIB, {})
        _check_closed(self._path)
        try:
            held = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"{self._path}: no key file: {error}") from None
        weak = held.passes < _PASSES or held.memory_kib < _MEMORY_KIB
        if held.format != _FORMAT or weak or held.passes > 100 or held.memory_kib > 4 * 1024**2:
            raise BadInput(f"{self._path}: no key file that this version reads ({_FORMAT})")
        return held

    def _write(self, held: _File, entries: dict[str, _Sealed]) -> None:
        """Whole or not at all, and never readable by others, not even for a moment."""
        new = msgspec.structs.replace(held, entries=entries)
        folder, part = self._path.parent, self._path.with_name(f".{self._path.name}.{os.getpid()}")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(new))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)
        _check_closed(self._path)


def _check_closed(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        raise BadInput(f"{path}: a key file must be a plain file, not a link")
    if os.name != "posix":
        return
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BadInput(f"{path}: others may read it; chmod 600 '{path}'")
    if stat.S_IMODE(path.parent.stat().st_mode) & 0o022:
        raise BadInput(f"{path.parent}: others may write to it; chmod 700 '{path.parent}'")


def _header(held: _File, name: str) -> bytes:
    salt = base64.b64encode(held.salt).decode()
    return f"{held.format}|{salt}|{held.passes}|{held.memory_kib}|{name}".encode()


def _encoded(credentials: Credentials) -> bytes:
    parts = (credentials.key, credentials.secret, credentials.passphrase)
    return msgspec.json.encode([credentials.venue, *(each.reveal() for each in parts)])


def _decoded(held: bytes, where: str) -> Credentials:
    try:
        venue, key, secret, passphrase = msgspec.json.decode(held, type=tuple[str, str, str, str])
    except msgspec.DecodeError:
        raise BadInput(f"{where}: what is kept under this name are no keys of ours") from None
    return Credentials(venue, Secret(key), Secret(secret), Secret(passphrase))


def _name(name: str) -> str:
    if not (
        name.replace("-", "").replace("_", "").isalnum() and name.isascii() and len(name) <= 40
    ):
        raise BadInput(f"{name[:40]!r}: name an account with letters, digits, - and _")
    return name


def _nobody(name: str, names: list[str]) -> BadInput:
    return BadInput(f"no keys are kept under {name[:40]!r}; kept: {', '.join(names) or 'none'}")


def _module(name: str) -> Any:  # noqa: ANN401 - an optional library
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtra(_COMMAND, _EXTRA) from None

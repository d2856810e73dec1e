"""Keys at rest: sealed, closed to others, and shown to nobody."""

import io
import json
import os
import sys

import msgspec
import pytest
from ingest.own.private_venue import KEY, SECRET, credentials

from airpocket.delivery.cli import main
from airpocket.domain.errors import BadInput, MissingExtra
from airpocket.ingest.own import keys
from airpocket.ingest.own.keys import KeyFile, Keyring
from airpocket.ingest.own.secret import Secret, without


def revealed(found):
    return found.venue, found.key.reveal(), found.secret.reveal(), found.passphrase.reveal()


def sealed(folder, passphrase=""):
    passphrase = passphrase or "correct horse"
    return KeyFile(folder / "keys" / "keys.enc", Secret(passphrase))


def test_a_sealed_file_gives_back_what_was_kept_and_shows_nothing(tmp_path) -> None:
    store = sealed(tmp_path)
    store.put("main", credentials("okx"))
    store.put("second", credentials("deribit"))
    path = tmp_path / "keys" / "keys.enc"
    assert revealed(sealed(tmp_path).get("main")) == revealed(credentials("okx"))
    assert sealed(tmp_path).names() == ["main", "second"]
    text = path.read_text()
    assert KEY not in text
    assert SECRET not in text
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    store.remove("main")
    assert store.names() == ["second"]
    assert list(path.parent.iterdir()) == [path]


def test_what_can_not_be_opened_says_why_and_changes_nothing(tmp_path) -> None:
    sealed(tmp_path).put("main", credentials("okx"))
    path = tmp_path / "keys" / "keys.enc"
    before = path.read_bytes()
    for spoil in (lambda s: s.get("main"), lambda s: s.put("other", credentials("okx"))):
        with pytest.raises(BadInput, match="wrong passphrase"):
            spoil(sealed(tmp_path, "wrong"))
    with pytest.raises(BadInput, match="kept: main"):
        sealed(tmp_path).get("nobody")
    with pytest.raises(BadInput, match="letters, digits"):
        sealed(tmp_path).put("../x", credentials("okx"))
    assert path.read_bytes() == before


def test_entries_can_not_be_swapped_nor_the_header_weakened(tmp_path) -> None:
    store = sealed(tmp_path)
    store.put("one", credentials("okx"))
    store.put("two", credentials("deribit"))
    path = tmp_path / "keys" / "keys.enc"
    told = json.loads(path.read_bytes())
    told["entries"]["one"], told["entries"]["two"] = told["entries"]["two"], told["entries"]["one"]
    path.write_text(json.dumps(told))
    with pytest.raises(BadInput, match="was changed"):
        store.get("one")
    path.write_text(json.dumps({**told, "memory_kib": 8}))
    with pytest.raises(BadInput, match="no key file that this version reads"):
        store.get("one")
    path.write_text("{}")
    with pytest.raises(BadInput, match="no key file"):
        store.get("one")


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
@pytest.mark.fault("W16")
def test_a_file_that_others_can_read_and_a_link_are_refused(tmp_path) -> None:
    sealed(tmp_path).put("main", credentials("okx"))
    path = tmp_path / "keys" / "keys.enc"
    path.chmod(0o640)
    with pytest.raises(BadInput, match="chmod 600"):
        sealed(tmp_path).names()
    path.chmod(0o600)
    path.parent.chmod(0o777)
    with pytest.raises(BadInput, match="chmod 700"):
        sealed(tmp_path).names()
    path.parent.chmod(0o700)
    link = path.parent / "link.enc"
    link.symlink_to(path)
    with pytest.raises(BadInput, match="not a link"):
        KeyFile(link, Secret("correct horse")).names()


class Ring:
    """A keyring in memory."""

    def __init__(self):
        self.held = {}

    def get_password(self, service, name):
        return self.held.get((service, name))

    def set_password(self, service, name, text):
        self.held[service, name] = text

    def delete_password(self, service, name):
        del self.held[service, name]


def test_the_keyring_keeps_names_and_keys() -> None:
    store = Keyring(Ring())
    assert store.names() == []
    store.put("main", credentials("okx"))
    assert revealed(store.get("main")) == revealed(credentials("okx"))
    store.remove("main")
    assert store.names() == []
    for gone in (store.get, store.remove):
        with pytest.raises(BadInput, match="no keys are kept"):
            gone("main")


def test_a_system_without_a_keyring_is_told_of_the_file() -> None:
    from keyring.backends.fail import Keyring as Nothing

    with pytest.raises(BadInput, match="--file"):
        Keyring(Nothing()).names()


@pytest.mark.fault("W17")
def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(SECRET)
    shown = f"{secret} {secret!r} {secret!s} {secret:>40} %s" % secret
    assert SECRET not in shown
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    with pytest.raises(TypeError, match="not copied"):
        secret.__reduce__()
    assert SECRET not in repr(credentials("okx"))
    told = without(f"GET https://x.com/a?signature=abc&k={SECRET} failed {SECRET}", secret)
    assert told == "GET https://x.com/a?*** failed ***"


def test_without_the_extra_the_command_names_it(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(MissingExtra, match=r"airpocket\[accounts\]"):
        keys.KeyFile(tmp_path / "keys.enc", Secret("x"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("pass\n"))
    assert main(["account", "ls", "--file", str(tmp_path / "keys.enc")]) == 5
    assert "airpocket[accounts]" in capsys.readouterr().err


@pytest.mark.fault("W17")
def test_keys_are_asked_for_and_never_arguments(tmp_path, monkeypatch, capsys) -> None:
    file = str(tmp_path / "keys" / "keys.enc")

    def run(typed, *arguments):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = main(["account", *arguments, "--file", file])
        told = capsys.readouterr()
        return status, told.out + told.err

    status, told = run(f"pass\n{KEY}\n{SECRET}\n", "add", "main", "binance_usdm")
    assert status == 0
    assert KEY not in told
    assert SECRET not in told
    assert run("pass\n", "ls") == (0, "main\n")
    assert run("pass\n\n\n", "add", "empty", "okx")[0] == 2
    assert run("pass\n", "add", "x", "mtgox")[0] == 2
    assert run("pass\n", "rm", "main")[0] == 0
    assert run("pass\n", "read", "main")[0] == 2

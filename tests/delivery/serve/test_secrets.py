"""Secrets stay where they are kept: in no answer, log, traceback, metric, argument list or environment."""

import asyncio
import contextlib
import http.client
import logging
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from delivery.serve.house import House

from airpocket.delivery.alerts.ledger import Ledger
from airpocket.delivery.alerts.rules import Service
from airpocket.delivery.cli import main
from airpocket.delivery.serve.app import build
from airpocket.delivery.serve.job import TOKEN
from airpocket.delivery.serve.start import Asked, planned


def parts(secret: str) -> set[str]:
    """Every piece of a secret that would tell something of it."""
    return {secret[at : at + 8] for at in range(len(secret) - 7)}


def failing_asks(house: House) -> list[str]:
    """Everything the server says when it is asked in all the wrong ways, and in the right ones."""
    asked = [
        ("GET", "/", None, {}), ("GET", "/api/v1/health", None, {}), ("GET", "/metrics", None, {}),
        ("GET", "/openapi.json", None, {}), ("GET", f"/api/v1/brief?token={house.token}", None, {}),
        ("GET", f"/api/v1/{house.token}", None, {}), ("POST", "/api/v1/plan", {"positions": house.token}, {}),
        ("POST", "/api/v1/whatif", {house.token: 1}, {}), ("POST", "/api/v1/session", {"code": house.token}, {}),
        ("GET", "/api/v1/health", None, {"Authorization": f"Basic {house.token}"}),
        ("GET", "/api/v1/health", None, {"Authorization": f"Bearer {house.token}x"}),
        ("GET", "/api/v1/health", None, {"Host": "evil.example"}),
        ("POST", "/api/v1/plan", None, {"Origin": "http://evil.example"}),
    ]  # fmt: skip
    said: list[str] = []
    for method, path, body, headers in asked:
        status, more, answer = house.ask(method, path, body, headers)
        said.append(f"{status} {more} {answer.decode(errors='replace')}")
    return said


@pytest.mark.fault("W17")
def test_the_token_is_in_nothing_that_the_server_says_or_logs(monkeypatch, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with House() as house:
        said = failing_asks(house)
        line = http.client.HTTPConnection("127.0.0.1", house.port, timeout=20)
        line.request("GET", "/" * 5_000 + house.token)
        said.append(line.getresponse().read().decode())
        line.close()

        def broken(_):
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr(type(house.desk), "metrics", broken)
        status, _, body = house.get("/metrics")
        assert status == 500
        said.append(body.decode())
    assert "fault of ours" in caplog.text  # the traceback was logged, and is looked through here
    out, err = capfd.readouterr()
    everything = "\n".join([*said, caplog.text, out, err])
    named = [part for part in parts(house.token) if part in everything]
    # what a client puts into an address or body may come back to it, named as wrong: to that client alone
    logged = "\n".join([caplog.text, out, err])
    assert not [part for part in parts(house.token) if part in logged]
    echoed = [each for each in said if any(part in each for part in named)]
    assert all(each.startswith("422") for each in echoed)


@pytest.mark.fault("W17")
def test_the_token_is_in_no_argument_list_and_no_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "store").mkdir()
    with planned(Asked("ETH", store=tmp_path / "store")) as plan:
        token = (plan.place / TOKEN).read_text()
        arguments = "".join(msgspec.json.encode(job).decode() for job in plan.jobs)
        assert not [part for part in parts(token) if part in arguments]
        assert not [part for part in parts(token) if part in str(dict(os.environ))]
        ps = subprocess.run(
            ["ps", "axww", "-o", "args"], capture_output=True, text=True, check=False
        )
        assert token not in ps.stdout


@pytest.mark.fault("W17")
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_the_address_of_a_service_is_in_no_message_of_its_failure(caplog, capfd):
    notifiers = pytest.importorskip("airpocket.delivery.alerts.apprise_notifier")
    caplog.set_level(logging.DEBUG)
    secret = "canary4711hidden"  # noqa: S105
    for url in (
        f"json://{secret}:{secret}@127.0.0.1:9/{secret}?+X-Key={secret}",
        f"ntfy://{secret}@127.0.0.1:9/{secret}",
    ):
        service = Service("phone", url, private=True)
        made = notifiers.AppriseNotifier((service,))
        assert not asyncio.run(made.send(service, "title", "body"))
        assert secret not in repr(service)
    out, err = capfd.readouterr()
    assert not [p for p in parts(secret) if p in out + err + caplog.text]


_WATCHED: list[
    list[str]
] = []  # while one is in it, every address that this process turns to is noted


def _noting(event: str, given: tuple) -> None:
    if _WATCHED and event in {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sendto",
    }:
        address = given[1] if event in {"socket.connect", "socket.sendto"} else given[0]
        host = address[0] if isinstance(address, tuple) else address
        _WATCHED[-1].append(host.decode() if isinstance(host, bytes) else str(host))


@pytest.mark.fault("W20")
def test_neither_server_nor_commands_turn_to_anybody(tmp_path, bundled, capsys):
    """No look for updates, no telemetry, no fonts or scripts from elsewhere: no address but loopback's."""
    sys.addaudithook(_noting)
    noted: list[str] = []
    _WATCHED.append(noted)
    try:
        with House() as house:
            failing_asks(house)
            with house.socket("health") as socket:
                assert socket.recv(10)
            page = house.get("/")[2].decode()
        for command in (["--version"], ["store", "ls"], ["store", "verify"], ["map", "MOON"]):
            where = [] if command[0] == "--version" else ["--store", str(bundled)]
            with contextlib.suppress(SystemExit):
                main([*command, *where])
    finally:
        _WATCHED.clear()
    capsys.readouterr()
    assert noted
    outward = [host for host in noted if host != "127.0.0.1" and not host.startswith("/")]
    assert outward == []
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.fault("W16")
def test_what_is_between_the_processes_is_for_this_user_alone(tmp_path):
    with House() as house:
        assert mode(house.job.place) == 0o700
        assert mode(house.job.place / "link") == 0o600
        wrong = {"Authorization": "Bearer of nothing"}
        assert house.ask("GET", "/api/v1/brief", None, wrong)[0] == 401
    Ledger(tmp_path / "alerts.db").close()
    assert mode(tmp_path / "alerts.db") == 0o600


@pytest.mark.fault("W09")
def test_no_address_takes_sql():
    with House() as house:
        app = build(house.desk, {})
        described = [str(route.path) for route in app.routes]
        assert described
        assert not [path for path in described if "sql" in path.lower() or "query" in path.lower()]
        for path in ("/api/v1/sql", "/api/v1/store/sql", "/sql"):
            assert house.ask("POST", path, {"sql": "SELECT 1"})[0] == 404
        injected = "/api/v1/bars?contract=x'%3B%20ATTACH%20'y'%20--&interval=5m"
        assert house.get(injected)[0] in {404, 503}

"""Where messages may go: no spelling, no redirect and no second answer of DNS leads into this machine."""

import asyncio
import http.server
import socket
import threading

import pytest

from airpocket.delivery.alerts import door
from airpocket.delivery.alerts.door import NotPublic, passage
from airpocket.delivery.alerts.heartbeat import Heartbeat
from airpocket.delivery.alerts.rules import Pulse, Service
from airpocket.domain.errors import BadInput
from airpocket.ingest.resolve import is_public

notifiers = pytest.importorskip("airpocket.delivery.alerts.apprise_notifier")

INWARD = [
    "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "0x7f000001", "2130706433", "127.1",
    "0177.0.0.1", "localhost", "10.1.2.3", "192.168.0.7", "172.16.0.1", "100.64.0.1", "0.0.0.0",  # noqa: S104
    "[fe80::1]", "[fd00::1]",
]  # fmt: skip
# apprise loads its services with what Python will drop
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
TEST_NET = "93.184.215.14"


class Recorder(http.server.BaseHTTPRequestHandler):
    """Counts what reaches it; `move` sends it elsewhere."""

    def do_POST(self) -> None:
        self.server.heard.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(302 if self.server.move else 200)
        if self.server.move:
            self.send_header("Location", self.server.move)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def inside():
    """Two web servers on loopback; nothing may reach the second."""
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder) for _ in range(2)]
    for each in servers:
        each.heard, each.move = [], ""
        threading.Thread(target=each.serve_forever, args=(0.02,), daemon=True).start()
    yield servers
    for each in servers:
        each.shutdown()
        each.server_close()


def notifier(url: str, *, private: bool = False, **more):
    return notifiers.AppriseNotifier((Service("hook", url, private),), **more)


def send(url: str, *, private: bool = False, **more) -> bool:
    made = notifier(url, private=private, **more)
    return asyncio.run(made.send(Service("hook", url, private), "title", "body"))


def pulse(url: str, *, private: bool = False, well=lambda: "", **more) -> Heartbeat:
    return Heartbeat(Pulse(url, 60.0, private), well, lambda _: None, **more)


@pytest.mark.fault("W08")
@pytest.mark.parametrize("host", INWARD)
def test_an_address_that_leads_inward_is_refused_when_it_is_read(host):
    with pytest.raises(BadInput) as found:
        notifier(f"jsons://{host}/secret-4711")
    assert "4711" not in str(found.value)
    with pytest.raises(BadInput, match=r"heartbeat: its address (leads into|is no URL)") as found:
        pulse(f"https://{host}/secret-4711")
    assert "4711" not in str(found.value)


@pytest.mark.fault("W08")
@pytest.mark.parametrize(
    "url",
    ["json://example.com/x", "xml://example.com/x", "form://example.com/x", "mailto://u:p@example.com",
     "file:///etc/passwd", "syslog://", "jsons://example.com/x?redirect=yes", "jsons://a.example, jsons://b.example"],
)  # fmt: skip
def test_only_encrypted_addresses_that_follow_no_redirect_are_taken(url):
    with pytest.raises(BadInput, match="service hook"):
        notifier(url, look_up=lambda _: [TEST_NET])


@pytest.mark.fault("W08")
@pytest.mark.parametrize(
    "url", ["http://example.com/", "file:///etc/passwd", "ftp://example.com/", "nonsense"]
)
def test_a_heartbeat_goes_by_https_alone(url):
    with pytest.raises(BadInput, match="https"):
        pulse(url, look_up=lambda _: [TEST_NET])


def test_services_with_hosts_of_their_own_are_taken_as_they_are():
    for url in (
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "ntfys://a-topic",
        "tgram://123456789:ABCdefghijklmnopqrstuvwxyzABCDEFGHI/12345", "mailtos://u:p@gmail.com",
        "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    ):  # fmt: skip
        notifier(url, look_up=lambda _: [TEST_NET])


@pytest.mark.fault("W08")
@pytest.mark.parametrize("where", [*INWARD, "[::ffff:7f00:1]"])
def test_a_connection_inward_is_stopped_however_its_address_is_written(where, inside):
    port = inside[1].server_address[1]
    with passage(private=False) as way, pytest.raises(OSError) as found:  # noqa: PT011
        socket.create_connection((where.strip("[]"), port), 0.2)
    if not isinstance(found.value, socket.gaierror):  # this machine may have no IPv6 at all
        assert isinstance(found.value, NotPublic) or "family" in str(found.value)
        assert way.refused or "family" in str(found.value)
    assert inside[1].heard == []


@pytest.mark.fault("W08")
def test_another_answer_of_dns_at_delivery_leads_nowhere(inside, monkeypatch):
    """Public when it was read, loopback when it is called."""
    port = inside[1].server_address[1]
    real = socket.getaddrinfo

    def rebound(host, *more, **named):
        ours = host in ("hook.example", b"hook.example")
        return real("127.0.0.1" if ours else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    url = f"jsons://hook.example:{port}/x"
    made = notifier(url, look_up=lambda _: [TEST_NET])
    with pytest.raises(PermissionError, match="private network"):
        asyncio.run(made.send(Service("hook", url), "title", "body"))
    beat = pulse(f"https://hook.example:{port}/x", look_up=lambda _: [TEST_NET])
    assert "private network" in asyncio.run(beat.beat())
    assert inside[1].heard == []


@pytest.mark.fault("W08")
def test_a_redirect_is_not_followed_not_even_where_private_is_allowed(inside):
    first, second = inside
    first.move = f"http://127.0.0.1:{second.server_address[1]}/inner"
    port = first.server_address[1]
    assert not send(f"json://127.0.0.1:{port}/x", private=True)
    beat = pulse(f"http://127.0.0.1:{port}/x", private=True)
    assert asyncio.run(beat.beat()) == "answered 302"
    assert len(first.heard) == 2
    assert second.heard == []


@pytest.mark.fault("W08")
def test_a_redirect_followed_by_somebody_else_would_be_stopped_too(inside, monkeypatch):
    """Were a library to follow it: the second connection is judged like the first."""
    first, second = inside
    judged = iter((True, False))
    monkeypatch.setattr(door, "is_public", lambda _: next(judged))
    with passage(private=False):
        socket.create_connection(("127.0.0.1", first.server_address[1])).close()
        with pytest.raises(NotPublic):
            socket.create_connection(("127.0.0.1", second.server_address[1]))
    assert second.heard == []


def test_what_is_private_by_name_is_reached_and_the_rest_of_the_program_is_left_alone(inside):
    port = inside[0].server_address[1]
    assert send(f"json://127.0.0.1:{port}/x", private=True)
    assert asyncio.run(pulse(f"http://127.0.0.1:{port}/x", private=True).beat()) == ""
    with passage(private=False):
        pass
    socket.create_connection(("127.0.0.1", port)).close()
    assert len(inside[0].heard) == 2


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (TEST_NET, True), ("2606:2800:220:1::1", True), ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False), ("::ffff:127.0.0.1", False), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
        ("2002:a00:1::", False), ("224.0.0.1", False), ("ff02::1", False), ("240.0.0.1", False), ("::", False),
        ("fe80::1%lo", False),
    ],
)  # fmt: skip
def test_what_is_public(address, public):
    assert is_public(address) is public

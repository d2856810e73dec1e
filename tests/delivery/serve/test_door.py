"""Nothing comes in under another name, from another site, without the token, or in sizes that could hurt."""

import json
import socket

import pytest

from airpocket.delivery.serve.guard import MOST_BODY
from airpocket.delivery.serve.keys import Keys
from airpocket.domain.units import SECOND_NS, TimeNs

JSON = "/api/v1/health"


def raw(house, text: bytes) -> bytes:
    """What the server answers to bytes that no client library would send."""
    with socket.create_connection(("127.0.0.1", house.port), 10) as line:
        line.sendall(text)
        line.shutdown(socket.SHUT_WR)
        found = b""
        while part := line.recv(65_536):
            found += part
    return found


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "localhost.evil", "127.0.0.1.nip.io", "127.0.0.1", "localhost", "[::1]",
        "127.0.0.1:1", "127.0.0.2:{port}", "localhost:{port}.evil", "user@127.0.0.1:{port}", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", JSON, "/ws"])
@pytest.mark.fault("W01")
def test_another_name_is_misdirected(house, host, path):
    named = host.format(port=house.port)
    text = f"GET {path} HTTP/1.1\r\nHost: {named}\r\nAuthorization: Bearer {house.token}\r\n"
    if path == "/ws":
        text += (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: {house.origin}\r\n"
        )
    answer = raw(house, (text + "\r\n").encode())
    assert answer.startswith((b"HTTP/1.1 421", b"HTTP/1.1 400"))
    assert b"airpocket.health" not in answer


def test_two_hosts_or_none_or_a_whole_address_are_refused(house):
    good = f"Host: 127.0.0.1:{house.port}\r\n"
    for head in (
        f"GET / HTTP/1.1\r\n{good}Host: evil.example\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        f"GET http://evil.example/ HTTP/1.1\r\n{good}\r\n",
    ):
        assert raw(house, head.encode())[9:12] in (b"400", b"421")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_our_own_names_are_answered(house, name):
    status, _, _ = house.ask("GET", JSON, headers={"Host": f"{name}:{house.port}"})
    assert status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", ""])
@pytest.mark.fault("W03")
def test_what_changes_anything_needs_our_own_origin(house, origin):
    headers = {"Origin": origin.format(port=house.port)}
    for path in ("/api/v1/ticket", "/api/v1/session", "/api/v1/whatif", "/api/v1/replay"):
        assert house.ask("POST", path, {}, headers)[0] == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_browser_that_says_it_comes_from_elsewhere_is_refused(house, site):
    assert house.ask("POST", "/api/v1/ticket", None, {"Sec-Fetch-Site": site})[0] == 403


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "Bearer",
        "Bearer wrong",
        "Basic {token}",
        "bearer: {token}",
        "{token}",
        "Bearer {token}x",
    ],
)
def test_without_the_token_every_answer_is_the_same(sent):
    from delivery.serve.house import House

    with House() as fresh:
        headers = {"Authorization": sent.format(token=fresh.token)}
        answers = {
            fresh.ask("GET", path, None, headers)[::2] for path in (JSON, "/openapi.json", "/nope")
        }
    [(status, body)] = answers
    assert status == 401
    assert json.loads(body)["code"] == "no_token"


@pytest.mark.fault("W05")
def test_a_token_in_the_address_is_no_token(house):
    assert house.ask("GET", f"{JSON}?token={house.token}", None, {"Authorization": ""})[0] in (
        401,
        429,
    )


@pytest.mark.fault("W04")
def test_guessing_is_slowed_down_and_the_right_token_still_works():
    from delivery.serve.house import House

    with House() as fresh:
        wrong = {"Authorization": "Bearer guess"}
        seen = [fresh.ask("GET", JSON, None, wrong)[0] for _ in range(8)]
        assert seen == [401] * 5 + [429] * 3
        assert fresh.ask("POST", "/api/v1/session", {"code": "guess"})[0] == 429
        assert fresh.get(JSON)[0] == 200


def test_a_launch_code_lets_one_browser_in(house):
    code = json.loads(house.ask("POST", "/api/v1/code")[2])["code"]
    no_token = {"Authorization": ""}
    status, _, body = house.ask("POST", "/api/v1/session", {"code": code}, no_token)
    assert (status, json.loads(body)) == (200, {"token": house.token, "role": "read"})
    assert house.ask("POST", "/api/v1/session", {"code": code}, no_token)[0] == 401


class Hands:
    """A clock that a test moves."""

    at = SECOND_NS

    def now(self) -> TimeNs:
        return TimeNs(self.at)

    def monotonic(self) -> int:
        return self.at


def test_codes_and_tickets_go_out_of_date():
    clock = Hands()
    keys = Keys("t", clock)
    code, ticket = keys.codes.make(), keys.tickets.make()
    clock.at += 31 * SECOND_NS
    assert not keys.tickets.take(ticket)
    clock.at += 30 * SECOND_NS
    assert not keys.codes.take(code)


def test_hurry_is_refused_until_the_next_second():
    clock = Hands()
    keys = Keys("t", clock)
    assert [keys.hurried() for _ in range(101)] == [False] * 100 + [True]
    clock.at += SECOND_NS
    assert not keys.hurried()


@pytest.mark.fault("W07")
def test_every_answer_carries_the_headers_and_no_name_of_the_server(house):
    answers = [
        house.get("/"), house.get(JSON), house.get("/nope"), house.ask("GET", JSON, None, {"Host": "evil"}),
        house.ask("GET", JSON, None, {"Authorization": ""}), house.ask("DELETE", "/"),
    ]  # fmt: skip
    for _, headers, _ in answers:
        assert headers["content-security-policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert {"server", "set-cookie", "access-control-allow-origin"}.isdisjoint(headers)


@pytest.mark.fault("W11")
def test_what_is_too_large_is_refused_by_what_is_too_large(house):
    assert house.get("/" + "a" * 5_000)[0] == 414
    assert house.ask("GET", JSON, None, {"X-Long": "a" * 17_000})[0] == 431
    status, _, _ = house.ask("POST", "/api/v1/plan", {"note": "a" * (MOST_BODY + 1)})
    assert status == 413


def test_a_body_without_a_length_is_counted(house):
    head = (
        f"POST /api/v1/plan HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nOrigin: {house.origin}\r\n"
        f"Authorization: Bearer {house.token}\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    assert raw(house, head.encode() + 5 * chunk)[9:12] == b"413"


def test_a_request_that_contradicts_itself_is_refused(house):
    text = (
        f"POST /api/v1/plan HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nOrigin: {house.origin}\r\n"
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    assert raw(house, text.encode())[9:12] in (b"400", b"401")


@pytest.mark.parametrize(
    "path", ["/../token", "/%2e%2e/token", "/static/../../pyproject.toml", "//etc/passwd"]
)
@pytest.mark.fault("W10")
def test_only_files_of_the_page_are_read(house, path):
    text = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nAuthorization: Bearer {house.token}\r\n\r\n"
    assert raw(house, text.encode())[9:12] == b"404"


@pytest.mark.parametrize(
    "query",
    [
        "interval=7m",
        "interval=",
        "limit=0",
        "limit=1000000000",
        "limit=NaN",
        "limit=1e3",
        f"contract={'x' * 200}",
    ],
)
def test_a_wrong_parameter_is_named(house, query):
    status, _, body = house.get(f"/api/v1/bars?{query}")
    assert status == 422
    assert json.loads(body)["message"].split(":")[0] == query.split("=")[0]

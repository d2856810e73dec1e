"""Faults on real sockets over loopback: handshakes, certificates, names, broken frames, slow and dead networks."""

import asyncio
import os
import random
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import zlib
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from live.fake_venue import FakeVenue
from live.tcp_proxy import Faults, TcpProxy
from websockets.asyncio.server import serve
from websockets.frames import Frame, Opcode

from airpocket.domain.channels import Channel
from airpocket.ingest.ask import Asker
from airpocket.ingest.connection import Connection, ConnectionSettings, World
from airpocket.ingest.dial import LineClosed, Refused, refusal, websocket_dial
from airpocket.ingest.feed import Poll, Socket
from airpocket.ingest.pace import BackoffSettings
from airpocket.ingest.resolve import Resolver, Unresolved
from airpocket.ingest.world import SystemClock

QUICK = ConnectionSettings(
    backoff=BackoffSettings(first_s=0.02, most_s=0.05, proof_s=0.1), calls_per_s=1_000.0
)
ROUTE = Socket("binance_usdm", "public", "ws://venue.example/x", (Channel("trades", "X", 1.0),))


class Kept:
    """Takes records and says when there are enough."""

    def __init__(self):
        self.records = []
        self.news = asyncio.Event()

    async def take(self, record):
        self.records.append(record)
        self.news.set()

    def of(self, kind):
        return [record for record in self.records if record.kind == kind]

    async def until(self, enough, seconds=60.0):
        async with asyncio.timeout(seconds):
            while not enough(self):
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def connected(gate, settings=QUICK, route=ROUTE, dial=None):
    """One connection through a gate on loopback."""
    kept = Kept()

    async def ask(poll):
        raise Refused("nobody is asked here")

    world = World(SystemClock(), dial or websocket_dial(f"ws://{gate}"), ask, random.Random(1))
    connection = Connection(route, kept, world, settings)
    running = asyncio.create_task(connection.run())
    try:
        yield connection, kept
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def proxied(speak, faults, settings=QUICK):
    """What one connection brings through a faulty network; the faults may be changed while it runs."""
    async with (
        FakeVenue(speak) as venue,
        TcpProxy(venue.port, faults) as proxy,
        connected(proxy.gate, settings) as (_, kept),
    ):
        yield kept


async def talk(connection, path):
    for number in range(100_000):
        await connection.send(f'{{"n":{number},"pad":"{"x" * 200}"}}')
        await asyncio.sleep(0.002)


# ── handshakes ──


@pytest.mark.fault("T10")
@pytest.mark.parametrize(
    ("status", "headers", "wait_s", "for_good"),
    [
        (200, {}, 0, False),
        (302, {"Location": "ws://127.0.0.1:1/elsewhere"}, 0, False),
        (403, {}, 0, True),
        (418, {}, 60, False),
        (429, {"Retry-After": "120"}, 120, False),
        (451, {}, 0, True),
        (503, {"Retry-After": "30", "Content-Type": "text/html"}, 30, False),
    ],
)
def test_a_handshake_that_is_refused_says_what_to_do_and_nothing_is_followed(
    status, headers, wait_s, for_good
):
    async def main():
        async with FakeVenue(talk, {"upgrade": (status, b"<html>no</html>", headers)}) as venue:
            with pytest.raises(Refused, match=f"HTTP {status}") as caught:
                await websocket_dial(f"ws://{venue.gate}")("wss://venue.example/x")
            return caught.value

    refused = asyncio.run(main())
    assert (refused.wait_s, refused.for_good) == (wait_s, for_good)


@pytest.mark.fault("T10")
def test_a_wait_is_asked_for_in_seconds_or_until_a_date():
    date = {"Date": "Wed, 21 Oct 2026 07:28:00 GMT"}
    until = {**date, "Retry-After": "Wed, 21 Oct 2026 07:33:00 GMT"}
    assert refusal(503, until).wait_s == 300.0
    assert refusal(503, {"Retry-After": "Wed, 21 Oct 2026 07:33:00 GMT"}).wait_s == 0.0
    assert refusal(503, {**date, "Retry-After": "soon"}).wait_s == 0.0
    assert refusal(429, {"Retry-After": "9" * 40}).wait_s == 86_400.0
    assert refusal(429, {**date, "Retry-After": "Wed, 21 Oct 2026 07:20:00 GMT"}).wait_s == 60.0


@pytest.mark.fault("T10")
def test_a_venue_that_bars_us_is_not_called_again_and_says_why():
    async def main():
        venue = FakeVenue(talk, {"upgrade": (451, b"")})
        async with venue as here, connected(here.gate) as (connection, kept):
            await kept.until(lambda k: k.of("disconnect"))
            await asyncio.sleep(0.3)
            return connection.refused, len(kept.records)

    refused, records = asyncio.run(main())
    assert "451" in refused
    assert records == 1


# ── certificates ──


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A certificate authority and what it signed: good, for another name, expired; and one signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    try:
        openssl(folder, "version")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl on this machine to make certificates with")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(folder, "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
            "-subj", "/CN=test ca", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    for name, host, dates in (
        ("good", "localhost", ("20200101000000Z", "20990101000000Z")),
        ("wrong", "elsewhere.example", ("20200101000000Z", "20990101000000Z")),
        ("expired", "localhost", ("20200101000000Z", "20210101000000Z")),
    ):
        openssl(folder, "req", "-new", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={host}")  # fmt: skip
        (folder / "db").write_text("")
        (folder / "serial").write_text(f"{len(name):02d}\n")
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=c\n[c]\ndatabase=db\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n"
            f"policy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:{host}\n"
        )
        openssl(folder, "ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
                "-in", f"{name}.csr", "-out", f"{name}.pem", "-startdate", dates[0],
                "-enddate", dates[1])  # fmt: skip
    openssl(folder, "req", "-x509", *curve, "-keyout", "self.key", "-out", "self.pem", "-days", "30",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")  # fmt: skip
    return folder


@pytest.mark.fault("T11")
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("good", None),
        ("wrong", "Hostname mismatch"),
        ("expired", "certificate has expired"),
        ("self", "self-signed certificate|self signed certificate"),
    ],
)
def test_a_certificate_is_always_verified(certificates, name, what):
    async def main():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
        trust = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
        async with serve(
            lambda c: talk(c, ""), "localhost", 0, ssl=context, family=socket.AF_INET
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            line = await websocket_dial(f"wss://localhost:{port}", tls=trust)(
                "wss://venue.example/x"
            )
            heard = await line.receive()
            await line.close()
            return heard

    if what is None:
        assert '"n":0' in asyncio.run(main())
    else:
        with pytest.raises(Refused, match=what):
            asyncio.run(main())


@pytest.mark.fault("T11")
def test_a_tls_handshake_that_hangs_is_given_up_and_three_failures_are_said(monkeypatch):
    monkeypatch.setattr("airpocket.ingest.dial._OPEN_S", 0.2)

    async def main():
        async def never(reader, writer):
            try:
                await asyncio.sleep(60)
            finally:
                writer.close()

        server = await asyncio.start_server(never, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        dial = websocket_dial(f"wss://127.0.0.1:{port}")
        async with connected("", dial=dial) as (connection, kept):
            await kept.until(lambda k: len(k.of("disconnect")) >= 3)
            found = connection.failures, connection.trouble
        server.close()
        return found

    failures, trouble = asyncio.run(main())
    assert failures >= 3
    assert "timed out" in trouble


# ── names ──


def resolving(answer, timeout_s=5.0):
    def look_up(host):
        found = answer(host)
        if isinstance(found, Exception):
            raise found
        return found

    return Resolver(look_up, timeout_s)


@pytest.mark.fault("T12")
@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (["127.0.0.1"], "leads to 127.0.0.1, which is no public address"),
        (["::1"], "no public address"),
        (["10.1.2.3"], "no public address"),
        (["8.8.8.8", "192.168.1.1"], "leads to 192.168.1.1"),
        (["169.254.169.254"], "no public address"),
        (["0.0.0.0"], "no public address"),  # noqa: S104 nothing is bound
        (["::ffff:127.0.0.1"], "no public address"),
        ([], "knows no address"),
        (UnicodeError("label too long"), "label too long"),
    ],
)
def test_a_name_that_leads_nowhere_or_home_is_refused_before_anything_is_sent(answer, what):
    async def main():
        dial = websocket_dial(resolve=resolving(lambda host: answer))
        with pytest.raises(Refused, match=what) as caught:
            await dial("wss://venue.example/x")
        assert not caught.value.for_good  # a resolver may come to its senses

    asyncio.run(main())


@pytest.mark.fault("T12")
def test_rest_is_refused_a_private_address_too():
    async def main():
        asker = Asker({}, SystemClock(), resolve=resolving(lambda host: ["127.0.0.1"]))
        with pytest.raises(Refused, match="no public address"):
            await asker(Poll("v", "https://venue.example/x", (), 1.0))
        await asker.close()

    asyncio.run(main())


@pytest.mark.fault("T12")
def test_a_resolver_that_hangs_holds_nobody_up_and_costs_one_thread():
    release = threading.Event()
    calls = []

    def hang(host):
        calls.append(host)
        release.wait(20)
        return ["8.8.8.8"]

    async def main():
        resolve = resolving(hang, timeout_s=0.1)
        turns = 0

        async def turn():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.01)

        turning = asyncio.create_task(turn())
        for _ in range(5):
            with pytest.raises(Unresolved, match="no answer from DNS within"):
                await resolve("venue.example")
        turning.cancel()
        release.set()
        assert await Resolver(lambda host: ["1.1.1.1"])("venue.example") == "1.1.1.1"
        return turns

    assert asyncio.run(main()) > 10
    assert calls == ["venue.example"]


@pytest.mark.fault("T12")
def test_a_name_is_looked_up_anew_for_every_call():
    answers = iter([["8.8.8.8"], ["1.1.1.1"]])

    async def main():
        resolve = resolving(lambda host: next(answers))
        return [await resolve("venue.example") for _ in range(2)]

    assert asyncio.run(main()) == ["8.8.8.8", "1.1.1.1"]


# ── networks ──


@pytest.mark.fault("T08")
@pytest.mark.parametrize("faults", [Faults(cut_after=5_000), Faults(end_after=5_000)])
def test_a_connection_cut_in_mid_frame_loses_only_the_half_frame_and_is_opened_again(faults):
    async def main():
        async with proxied(talk, faults) as kept:
            await kept.until(lambda k: len(k.of("disconnect")) >= 2)
        return kept

    kept = asyncio.run(main())
    assert len(kept.of("connect")) >= 2
    assert all(r.body.startswith(b'{"n":') and r.body.endswith(b'x"}') for r in kept.of("text"))
    assert len(kept.of("text")) >= 20
    assert "no close frame" in kept.of("disconnect")[0].about


@pytest.mark.fault("T08")
@pytest.mark.parametrize("code", [1011, 1012])
def test_a_close_with_a_reason_is_kept_with_it(code):
    async def main():
        async def leave(connection, path):
            await connection.send("last words")
            await connection.close(code, "service restart")

        async with FakeVenue(leave) as venue, connected(venue.gate) as (_, kept):
            await kept.until(lambda k: len(k.of("connect")) >= 3)
        return kept

    kept = asyncio.run(main())
    assert str(code) in kept.of("disconnect")[0].about
    assert "service restart" in kept.of("disconnect")[0].about
    assert kept.of("text")[0].body == b"last words"


@pytest.mark.fault("T15")
@pytest.mark.parametrize(
    "faults", [Faults(slice_bytes=1), Faults(bytes_per_s=64_000, slice_bytes=500)]
)
def test_a_slow_network_changes_no_byte(faults):
    async def burst(connection, path):
        for number in range(60):
            await connection.send(f'{{"n":{number},"pad":"{"x" * 200}"}}')
        await asyncio.sleep(30)

    async def main():
        async with proxied(burst, faults) as kept:
            await kept.until(lambda k: len(k.of("text")) == 60)
        return kept

    kept = asyncio.run(main())
    assert [int(r.body.split(b",")[0][5:]) for r in kept.of("text")] == list(range(60))


@pytest.mark.fault("T15")
def test_a_server_that_drops_a_slow_consumer_is_called_again():
    async def drop(connection, path):
        await connection.send("x")
        await connection.close(1008, "slow consumer")

    async def main():
        async with proxied(drop, Faults(latency_s=0.02)) as kept:
            await kept.until(lambda k: len(k.of("disconnect")) >= 2)
        return kept

    assert "slow consumer" in asyncio.run(main()).of("disconnect")[0].about


@pytest.mark.fault("T08")
@pytest.mark.parametrize("at", range(2_000, 2_260, 20))
def test_a_corrupt_byte_ends_the_connection_and_never_passes_for_text(at):
    """Wherever it falls, in a frame's head or in its text."""

    async def main():
        async with proxied(talk, Faults(corrupt_at=at)) as kept:
            await kept.until(lambda k: len(k.of("connect")) >= 2)
        return kept

    kept = asyncio.run(main())
    assert any(code in kept.of("disconnect")[0].about for code in ("1002", "1007", "1009"))
    assert all(r.body.startswith(b'{"n":') and r.body.endswith(b'x"}') for r in kept.of("text"))


@pytest.mark.fault("T07")
def test_a_network_that_swallows_everything_is_left_and_found_again(monkeypatch):
    monkeypatch.setattr("airpocket.ingest.dial._OPEN_S", 0.5)
    settings = ConnectionSettings(
        backoff=QUICK.backoff, calls_per_s=1_000.0, ping_s=0.1, patience=1
    )

    async def main():
        faults = Faults()
        async with proxied(talk, faults, settings) as kept:
            await kept.until(lambda k: len(k.of("text")) > 5)
            faults.flows.clear()
            await kept.until(lambda k: len(k.of("disconnect")) >= 2)
            faults.flows.set()
            before = len(kept.of("text"))
            await kept.until(lambda k: len(k.of("text")) > before + 5)
        return kept

    kept = asyncio.run(main())
    reasons = [record.about for record in kept.of("disconnect")]
    assert "no sign of life for 1 s" in reasons
    assert any("timed out" in reason for reason in reasons)


SERVER = """
import asyncio, sys
from websockets.asyncio.server import serve
async def talk(connection):
    while True:
        await connection.send("tick")
        await asyncio.sleep(0.02)
async def main():
    async with serve(talk, "127.0.0.1", 0) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.sleep(120)
asyncio.run(main())
"""


@pytest.mark.fault("T03")
def test_a_server_that_is_stopped_while_its_kernel_goes_on_is_left_and_found_again(monkeypatch):
    monkeypatch.setattr("airpocket.ingest.dial._OPEN_S", 0.5)
    settings = ConnectionSettings(
        backoff=QUICK.backoff, calls_per_s=1_000.0, ping_s=0.2, patience=2
    )

    async def main(port):
        async with connected(f"127.0.0.1:{port}", settings) as (_, kept):
            await kept.until(lambda k: len(k.of("text")) > 5)
            os.kill(server.pid, signal.SIGSTOP)
            await kept.until(lambda k: len(k.of("disconnect")) >= 2)
            os.kill(server.pid, signal.SIGCONT)
            before = len(kept.of("text"))
            await kept.until(lambda k: len(k.of("text")) > before + 5)
        return kept

    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            kept = asyncio.run(main(int(server.stdout.readline())))
        finally:
            server.kill()
    reasons = [record.about for record in kept.of("disconnect")]
    assert "no sign of life for 2 s" in reasons
    assert any("timed out" in reason for reason in reasons)  # it connects, and nobody answers


@pytest.mark.fault("T16")
def test_a_process_that_was_held_up_blames_nobody():
    """The library's own timer would end the connection: its pong waits behind the blocked loop."""
    settings = ConnectionSettings(backoff=QUICK.backoff, ping_s=0.05, patience=2)

    async def main():
        async with FakeVenue(talk_alone) as venue, connected(venue.gate, settings) as (_, kept):
            await kept.until(lambda k: k.of("text"))
            await asyncio.sleep(0.1)
            time.sleep(3.0)  # noqa: ASYNC251 the loop is held up: that is the fault
            await asyncio.sleep(1.5)
        return kept

    async def talk_alone(connection, path):
        await connection.send("hello")
        await asyncio.sleep(60)

    kept = asyncio.run(main())
    assert [r.about for r in kept.of("disconnect")] == ["stopped"]


# ── frames ──


def frame(opcode, data, *, fin=True, rsv=0, length=None):
    """A server's frame as bytes, with every field to be got wrong."""
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    size = len(data) if length is None else length
    if size < 126:
        head += bytes([size])
    elif size < 65_536:
        head += bytes([126]) + struct.pack("!H", size)
    else:
        head += bytes([127]) + struct.pack("!Q", size)
    return head + data


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


MB = 1024 * 1024
BROKEN = {
    "16 MB": (lambda: frame(1, b"x" * 16 * MB), "1009"),
    "4 MB and a byte": (lambda: frame(1, b"x" * (4 * MB + 1)), "1009"),
    "2^63 bytes": (lambda: frame(1, b"x", length=2**63), "1002|1009"),
    "2^62 bytes": (lambda: frame(1, b"x", length=2**62), "1009"),
    "an unknown opcode": (lambda: frame(3, b"x"), "1002"),
    "reserved bits": (lambda: frame(1, b"x", rsv=3), "1002"),
    "no UTF-8": (lambda: frame(1, b"\xff\xfe"), "1007"),
    "a long ping": (lambda: frame(9, b"x" * 126), "1002"),
    "a bomb": (lambda: frame(1, deflated(b"x" * 64 * MB), rsv=4), "1009"),
    "a byte too many inflated": (lambda: frame(1, deflated(b"x" * (4 * MB + 1)), rsv=4), "1009"),
}  # fmt: skip


async def broken_server(write, compression="deflate"):
    async def speak(connection):
        await connection.send("before")
        await write(connection.transport)
        await asyncio.sleep(30)

    return await serve(speak, "127.0.0.1", 0, compression=compression)


def resident_mb():
    pages = Path("/proc/self/statm")
    if not pages.exists():
        pytest.skip("no /proc on this system: memory can't be read")
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / MB


@pytest.mark.fault("T17", "T18")
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_frame_ends_its_connection_with_the_right_code_and_it_is_opened_again(name):
    make, code = BROKEN[name]

    async def main():
        async def write(transport):
            transport.write(make())

        server = await broken_server(write)
        port = next(iter(server.sockets)).getsockname()[1]
        async with connected(f"127.0.0.1:{port}") as (_, kept):
            await kept.until(lambda k: len(k.of("connect")) >= 2)
        server.close()
        return kept

    kept = asyncio.run(main())
    reason = kept.of("disconnect")[0].about
    assert any(each in reason for each in code.split("|")), reason
    assert {r.body for r in kept.of("text")} == {b"before"}


@pytest.mark.fault("T17", "T18")
def test_fragments_without_end_and_bombs_cost_no_memory():
    async def main():
        async def write(transport):
            transport.write(frame(1, b"x" * 1_000, fin=False))
            for _ in range(5_000):  # a message that would be 40 MB
                transport.write(frame(0, b"x" * 8_192, fin=False))
                await asyncio.sleep(0)

        async def bomb(transport):
            transport.write(frame(1, bombs, rsv=4))

        for fault in (write, bomb):
            server = await broken_server(fault)
            port = next(iter(server.sockets)).getsockname()[1]
            async with connected(f"127.0.0.1:{port}") as (_, kept):
                await kept.until(lambda k: len(k.of("disconnect")) >= 1)
                before = resident_mb()
                await kept.until(lambda k: len(k.of("disconnect")) >= 4)
                grown.append(resident_mb() - before)
                assert all("1009" in r.about for r in kept.of("disconnect"))
            server.close()

    bombs, grown = deflated(b"x" * 64 * MB), []
    asyncio.run(main())
    assert max(grown) < 10.0


@pytest.mark.fault("T17")
def test_the_largest_frame_allowed_is_heard_whole():
    async def main():
        async def write(transport):
            transport.write(frame(1, b"x" * 4 * MB))
            transport.write(frame(1, deflated(b"y" * 4 * MB), rsv=4))

        server = await broken_server(write)
        port = next(iter(server.sockets)).getsockname()[1]
        async with connected(f"127.0.0.1:{port}") as (_, kept):
            await kept.until(lambda k: len(k.of("text")) >= 3)
        server.close()
        return [r.body for r in kept.of("text")]

    assert asyncio.run(main())[:3] == [b"before", b"x" * 4 * MB, b"y" * 4 * MB]


@pytest.mark.fault("R07")
def test_a_fault_in_a_helper_of_a_connection_is_raised_and_not_taken_for_a_loss():
    class Failing(Kept):
        async def take(self, record):
            if record.kind == "sent":
                raise ZeroDivisionError("a fault of ours")
            await super().take(record)

    async def main():
        route = Socket("v", "public", ROUTE.url, ROUTE.channels, hello=("hello",))
        async with FakeVenue(talk) as venue:
            world = World(
                SystemClock(), websocket_dial(f"ws://{venue.gate}"), None, random.Random(1)
            )
            async with asyncio.timeout(10):
                await Connection(route, Failing(), world, QUICK).run()

    with pytest.raises(ZeroDivisionError, match="a fault of ours"):
        asyncio.run(main())


def test_a_line_that_is_closed_says_so():
    async def main():
        async with FakeVenue(talk) as venue:
            line = await websocket_dial(f"ws://{venue.gate}")("wss://venue.example/x")
            await line.close()
            with suppress(LineClosed):
                for _ in range(100_000):  # what had come before is still heard
                    await line.receive()
                pytest.fail("a closed line spoke for ever")
            for say in (line.send("x"), line.ping()):
                with pytest.raises(LineClosed):
                    await say

    asyncio.run(main())


assert Frame(Opcode.TEXT, b"x").opcode == 1  # the numbers above are the library's

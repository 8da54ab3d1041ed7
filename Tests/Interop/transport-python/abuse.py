"""Attacks a server over raw HTTP/2 and says how it answered: `abuse.py PORT ATTACK`, one line `closed …` or `open …`.

An attack succeeds (exit code 0) when the server ended the connection, or bore it without harm where that is right.
"""

import socket
import struct
import sys
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


SETTINGS = frame(4)


def headers(stream, flags=4, extra=()):
    import hpack

    fields = [(":method", "POST"), (":scheme", "http"), (":path", "/ponos.transport.Echo/Collect"), (":authority", "x"),
              ("te", "trailers"), ("content-type", "application/grpc"), *extra]
    # A fresh encoder for each block: its dynamic table is never used, so blocks do not depend on each other.
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    return frame(1, flags, stream, encoder.encode(fields))


class Peer:
    def __init__(self, port, greet=True):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(0.001)
        self.received = b""
        self.closed = False
        if greet:
            self.send(PREFACE + SETTINGS)

    def send(self, data):
        view = memoryview(data)
        deadline = time.monotonic() + 20
        while view and not self.closed:
            try:
                view = view[self.socket.send(view):]
            except (TimeoutError, BlockingIOError):
                if time.monotonic() > deadline:
                    return
            except OSError:
                self.closed = True
            self.read()

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


def ping_flood(peer):
    peer.send(frame(6, payload=b"12345678") * 5000)


def settings_flood(peer):
    peer.send(SETTINGS * 5000)


def rapid_reset(peer):
    for stream in range(1, 20001, 2):
        peer.send(headers(stream) + frame(3, 0, stream, struct.pack(">I", 8)))
        if peer.closed:
            return


def continuation_flood(peer):
    peer.send(headers(1, flags=0) + frame(9, 0, 1, b"\x00\x01a\x01b") * 5000)


def empty_data_flood(peer):
    peer.send(headers(1) + frame(0, 0, 1) * 5000)


def header_bomb(peer):
    peer.send(headers(1, extra=[(f"x-{number}", "v" * 200) for number in range(70)]) + headers(
        3, extra=[("x", "v" * 15000), ("y", "v" * 400), ("z", "v" * 15000)]))


def wrong_preface(peer):
    peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def half_a_preface(peer):
    peer.send(PREFACE[:10])


def oversized_frame(peer):
    peer.send(frame(0, 0, 1, b"x" * 70000))


def data_on_idle_stream(peer):
    peer.send(frame(0, 0, 1, b"x"))


def window_overflow(peer):
    peer.send(frame(8, payload=struct.pack(">I", 0x7FFFFFFF)) * 2)


def flow_control_violation(peer):
    peer.send(headers(1) + b"".join(frame(0, 0, 1, b"\x00\x00\x3f\x00\x00" + b"x" * 16000) for _ in range(200)))


ATTACKS = {name: value for name, value in list(globals().items()) if callable(value) and value.__module__ == "__main__"
           and name not in ("frame", "headers", "Peer")}


def main():
    port, name = int(sys.argv[1]), sys.argv[2]
    peer = Peer(port, greet=name not in ("wrong_preface", "half_a_preface"))
    ATTACKS[name](peer)
    peer.read(seconds=8)
    print("closed" if peer.closed else "open", name)
    sys.exit(0 if peer.closed else 1)


if __name__ == "__main__":
    main()

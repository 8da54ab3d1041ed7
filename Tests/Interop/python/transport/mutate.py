"""A mutating fuzzer of the frame and message path: `mutate.py PORT SEED COUNT`.

Sends COUNT connections' worth of a valid conversation with random changes: bytes flipped, pieces repeated, dropped, cut and
shuffled. Fails when the server stops accepting connections.
"""

import random
import socket
import struct
import sys

from abuse import PREFACE, SETTINGS, frame, headers


def conversation():
    message = b"\x00\x00\x00\x00\x05hello"
    return [
        PREFACE, SETTINGS, frame(4, 1), headers(1), frame(0, 1, 1, message), frame(6, payload=b"12345678"),
        headers(3), frame(0, 0, 3, message * 3), frame(0, 1, 3, b"\x01\x00\x00\x00\x02ab"), frame(8, payload=struct.pack(">I", 1000)),
        headers(5, flags=5), frame(3, 0, 5, struct.pack(">I", 8)), frame(2, 0, 7, b"\x00\x00\x00\x00\x10"),
        headers(9, extra=[("grpc-timeout", "1m"), ("grpc-encoding", "gzip"), ("x-bin", "!!")]), frame(0, 9, 9, b"\x02\x00\x00\x00ab"),
        frame(7, payload=b"\x00" * 8),
    ]


def mutate(pieces, chance):
    pieces = list(pieces)
    for _ in range(chance.randint(1, 6)):
        kind, at = chance.randrange(6), chance.randrange(len(pieces))
        piece = bytearray(pieces[at])
        if kind == 0 and piece:
            piece[chance.randrange(len(piece))] = chance.randrange(256)
        elif kind == 1:
            pieces.insert(at, bytes(piece))
        elif kind == 2:
            piece = piece[: chance.randrange(len(piece) + 1)]
        elif kind == 3:
            other = chance.randrange(len(pieces))
            pieces[at], pieces[other] = pieces[other], pieces[at]
            continue
        elif kind == 4:
            piece += chance.randbytes(chance.randrange(64))
        elif len(pieces) > 1:
            del pieces[at]
            continue
        pieces[at] = bytes(piece)
    return b"".join(pieces)


def main():
    port, seed, count = map(int, sys.argv[1:4])
    chance = random.Random(seed)
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        try:
            data = mutate(conversation(), chance) if chance.random() < 0.95 else chance.randbytes(2000)
            cut = chance.randrange(len(data) + 1)
            connection.sendall(data[:cut])
            connection.sendall(data[cut:])
            if chance.random() < 0.5:
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        except OSError:
            pass
        finally:
            connection.close()
    print("survived")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Lets servers and clients of our transport, the library's and grpc-go meet and prints what a call costs each.

  run.py              all cases
  run.py calls|idle   the cases of calls, or of idle connections
  run.py soak         ten minutes of calls of all kinds (TRANSPORT_SOAK_MINUTES), memory taken after each round of them

A pair of which one dies is reported so and left out of the rounds that follow; the others go on. In a soak it is the end.

See README.md.
"""

import collections
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
PRODUCTS = os.path.join(ROOT, "Benchmarks/.build/release")
SWIFT = os.path.join(PRODUCTS, "TransportPeer")
GO = os.path.join(PRODUCTS, "grpc-go-peer")
ROUNDS = int(os.environ.get("ROUNDS", "3"))
IDLE_CONNECTIONS = int(os.environ.get("TRANSPORT_IDLE_CONNECTIONS", "10000"))
SOAK_MINUTES = float(os.environ.get("TRANSPORT_SOAK_MINUTES", "10"))

Case = collections.namedtuple("Case", "title mode connections parallel calls size")
CASES = [
    Case("unary, 1 at a time", "unary", 1, 1, 10_000, 100),
    Case("unary, 4 × 64 at a time", "unary", 4, 64, 80_000, 100),
    Case("unary, 4 × 64, 16 KiB", "unary", 4, 64, 20_000, 16_384),
    Case("stream, 1 × 1, per message", "chat", 1, 1, 20_000, 100),
    Case("streams, 4 × 64, per message", "chat", 4, 64, 160_000, 100),
    Case("a new connection per call", "connect", 1, 1, 1_000, 100),
]
SERVERS = ["grpc-go", "own", "own-pool", "library"]
CLIENTS = ["own", "library"]
# Servers are compared under the same client, clients at the same server, and ours with ours.
FLOOR = ("grpc-go", "grpc-go")
PAIRS = [(server, "grpc-go") for server in SERVERS] + [("grpc-go", client) for client in CLIENTS] + [("own", "own")]


def program(kind):
    return GO if kind == "grpc-go" else SWIFT


class PeerDied(Exception):
    """A peer ended, or did not, in a way that leaves no figures."""


def death(what, status):
    """What became of a peer that ended with `status`, as subprocess has it."""
    if status >= 0:
        return PeerDied(f"{what} ended with status {status}")
    return PeerDied(f"{what} died: signal {-status} ({signal.Signals(-status).name})")


class Server:
    def __init__(self, kind):
        self.process = subprocess.Popen([program(kind), "serve", kind, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.kind = kind
        self.port = int(self.read())

    def cpu(self, line="reading"):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # Reading tells what became of it.
        return float(self.read())

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise death(f"server {self.kind}", self.process.wait())
        return line

    def memory(self):
        """Resident memory in KiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(next(line for line in status if line.startswith("VmRSS")).split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # It has died, and the line that was meant for it is still to be written.
        self.process.wait()


Figures = collections.namedtuple("Figures", "rate latency server_cpu client_cpu memory")


def measure(case, server_kind, client_kind):
    with Server(server_kind) as server:
        # A run that does not count, so that start-up is not charged to the calls.
        load(client_kind, server.port, case._replace(calls=max(200, case.calls // 20)))
        before = server.cpu()
        rate, latency, client_cpu = load(client_kind, server.port, case)
        # The client warms up with 200 calls on each connection, which the server has to answer too.
        calls = case.calls + (200 * case.connections if case.mode != "connect" else 200)
        return Figures(rate, latency, (server.cpu() - before) / calls, client_cpu, server.memory() / 1024)


def load(kind, port, case):
    command = [program(kind), case.mode, kind, port, case.connections, case.parallel, case.calls, case.size]
    try:
        client = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        raise PeerDied(f"client {kind} did not end within 300 s") from None
    if client.returncode != 0:
        sys.stderr.write(client.stderr[-4_000:])
        raise death(f"client {kind}", client.returncode)
    return [float(figure) for figure in client.stdout.split()]


def median(readings):
    return Figures(*(statistics.median(column) for column in zip(*readings)))


def ratio(figures, floor, name):
    return f"{getattr(figures, name) / getattr(floor, name):.2f}" if floor else "–"


def compare_calls(report):
    for case in CASES:
        readings, deaths = collections.defaultdict(list), {}
        for round_number in range(ROUNDS):
            shift = round_number % len(PAIRS)
            for pair in PAIRS[shift:] + PAIRS[:shift]:
                if pair in deaths:
                    continue
                try:
                    readings[pair].append(measure(case, *pair))
                except PeerDied as what:
                    deaths[pair] = str(what)
        floor = None if FLOOR in deaths else median(readings[FLOOR])
        print(f"\n### {case.title}\n")
        print("| server | client | calls/s | latency µs | × go | server CPU µs | × go | client CPU µs | × go | server MiB |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for pair in PAIRS:
            entry = {"case": case.title, "server": pair[0], "client": pair[1]}
            if pair in deaths:
                print(f"| {pair[0]} | {pair[1]} | {deaths[pair]} |  |  |  |  |  |  |  |", flush=True)
                report.append({**entry, "died": deaths[pair]})
                continue
            figures = median(readings[pair])
            print(
                f"| {pair[0]} | {pair[1]} | {figures.rate:.0f} | {figures.latency:.0f} | {ratio(figures, floor, 'latency')} "
                f"| {figures.server_cpu:.1f} | {ratio(figures, floor, 'server_cpu')} "
                f"| {figures.client_cpu:.1f} | {ratio(figures, floor, 'client_cpu')} | {figures.memory:.0f} |",
                flush=True)
            report.append({**entry, **figures._asdict()})


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
SETTINGS_ACK = b"\0\0\0\4\1\0\0\0\0"
PING = b"\0\0\x08\6\0\0\0\0\0" + b"pingping"


def idle_connections(kind, count):
    """Memory of an idle connection in KiB, and processor time of a PING on each in microseconds."""
    with Server(kind) as server:
        warm = [connect(server.port) for _ in range(50)]
        time.sleep(0.5)
        server.cpu("collect")
        before = server.memory()
        connections = [connect(server.port) for _ in range(count)]
        time.sleep(1)
        server.cpu("collect")
        memory = (server.memory() - before) / count
        before = server.cpu()
        for connection in connections:
            connection.sendall(PING)
        for connection in connections:
            drain(connection, until=b"pingping")
        cpu = (server.cpu() - before) / count
        for connection in connections + warm:
            connection.close()
        return memory, cpu


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(PREFACE + SETTINGS_ACK)
    drain(connection, until=SETTINGS_ACK)
    return connection


def drain(connection, until):
    received = b""
    while until not in received:
        piece = connection.recv(4_096)
        if not piece:
            raise ConnectionError("the server closed an idle connection")
        received += piece


def compare_idle(report):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # Our server keeps an eighth of its files for other things than connections.
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, IDLE_CONNECTIONS * 8 // 7 + 1_000), hard))
    print(f"\n### {IDLE_CONNECTIONS} idle connections\n\n| server | KiB each | µs CPU for a PING |\n|---|---|---|")
    for kind in SERVERS:
        try:
            memory, cpu = idle_connections(kind, IDLE_CONNECTIONS)
        except (PeerDied, OSError) as what:
            print(f"| {kind} | {what} |  |", flush=True)
            report.append({"case": "idle", "server": kind, "died": str(what)})
            continue
        print(f"| {kind} | {memory:.1f} | {cpu:.1f} |", flush=True)
        report.append({"case": "idle", "server": kind, "memoryKiB": memory, "pingCPU": cpu})


def soak(report):
    """Calls of all kinds against one server of ours; fails unless its memory is flat after the first quarter."""
    cases = [case._replace(calls=max(500, case.calls // 10)) for case in CASES]
    samples, calls, began = [], 0, time.monotonic()
    with Server("own") as server:
        while time.monotonic() - began < SOAK_MINUTES * 60:
            for case in cases:
                for client in ("own", "grpc-go"):
                    load(client, server.port, case)
                    calls += case.calls
            samples.append((time.monotonic() - began, server.memory()))
            print(f"{samples[-1][0]:6.0f} s  {calls:10d} calls  {samples[-1][1] / 1024:7.1f} MiB", flush=True)
    settled = [memory for _, memory in samples[len(samples) // 4:]]
    half = len(settled) // 2
    growth = statistics.median(settled[half:]) / statistics.median(settled[:half] or settled)
    print(f"memory of the last half ÷ the half before it: {growth:.3f}")
    report.append({"case": "soak", "calls": calls, "growth": growth})
    if growth > 1.05:
        sys.exit("the server's memory grows")


def main():
    what = sys.argv[1] if len(sys.argv) > 1 else "all"
    report = []
    try:
        if what in ("all", "calls"):
            compare_calls(report)
        if what in ("all", "idle"):
            compare_idle(report)
        if what == "soak":
            soak(report)
    except PeerDied as end:
        sys.exit(str(end))
    finally:
        with open(os.path.join(PRODUCTS, "transport.json"), "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Lets servers and clients of our transport, the library's and grpc-go meet and prints what a call costs each.

  run.py              all cases
  run.py calls|idle   the cases of calls, or of idle connections
  run.py soak         ten minutes of calls of all kinds (TRANSPORT_SOAK_MINUTES), memory taken every ten seconds

See README.md.
"""

import collections
import json
import os
import resource
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
PAIRS = [(server, "grpc-go") for server in SERVERS] + [("grpc-go", client) for client in CLIENTS] + [("own", "own")]


def program(kind):
    return GO if kind == "grpc-go" else SWIFT


class Server:
    def __init__(self, kind):
        self.process = subprocess.Popen([program(kind), "serve", kind, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def cpu(self, line="reading"):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def memory(self):
        """Resident memory in KiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(next(line for line in status if line.startswith("VmRSS")).split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
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
    output = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True, timeout=300).stdout
    return [float(figure) for figure in output.split()]


def median(readings):
    return Figures(*(statistics.median(column) for column in zip(*readings)))


def compare_calls(report):
    for case in CASES:
        readings = collections.defaultdict(list)
        for round_number in range(ROUNDS):
            shift = round_number % len(PAIRS)
            for pair in PAIRS[shift:] + PAIRS[:shift]:
                readings[pair].append(measure(case, *pair))
        floor = median(readings["grpc-go", "grpc-go"])
        print(f"\n### {case.title}\n")
        print("| server | client | calls/s | latency µs | × go | server CPU µs | × go | client CPU µs | × go | server MiB |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for pair in PAIRS:
            figures = median(readings[pair])
            print(
                f"| {pair[0]} | {pair[1]} | {figures.rate:.0f} | {figures.latency:.0f} | {figures.latency / floor.latency:.2f} "
                f"| {figures.server_cpu:.1f} | {figures.server_cpu / floor.server_cpu:.2f} "
                f"| {figures.client_cpu:.1f} | {figures.client_cpu / floor.client_cpu:.2f} | {figures.memory:.0f} |",
                flush=True)
            report.append({"case": case.title, "server": pair[0], "client": pair[1], **figures._asdict()})


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
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, IDLE_CONNECTIONS + 1_000), hard))
    print(f"\n### {IDLE_CONNECTIONS} idle connections\n\n| server | KiB each | µs CPU for a PING |\n|---|---|---|")
    for kind in SERVERS:
        memory, cpu = idle_connections(kind, IDLE_CONNECTIONS)
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
    if what in ("all", "calls"):
        compare_calls(report)
    if what in ("all", "idle"):
        compare_idle(report)
    if what == "soak":
        soak(report)
    with open(os.path.join(PRODUCTS, "transport.json"), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)


if __name__ == "__main__":
    main()

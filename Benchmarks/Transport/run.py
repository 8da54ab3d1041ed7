#!/usr/bin/env python3
"""Lets servers and clients of three transports meet and prints what a call costs each; see README.md."""

import os
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
SWIFT = os.environ.get("TRANSPORT_BENCHMARK", os.path.join(ROOT, ".build/release/TransportBenchmark"))
GO = os.path.join(ROOT, ".build/interop/go/bin/transport")
TICK = os.sysconf("SC_CLK_TCK")
ROUNDS = int(os.environ.get("ROUNDS", "3"))

# name, connections, parallel calls on each, calls, bytes
CASES = [("unary 1×1", 1, 1, 5_000, 100), ("unary 4×64", 4, 64, 40_000, 100), ("unary 4×64, 16 KiB", 4, 64, 10_000, 16_384)]


class Server:
    def __init__(self, kind):
        command = [GO, "server", "127.0.0.1:0"] if kind == "grpc-go" else [SWIFT, "serve", kind, "0"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK * 1e6

    def memory(self):
        for line in open(f"/proc/{self.process.pid}/status", encoding="ascii"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def cpu_of_children():
    times = os.times()
    return (times.children_user + times.children_system) * 1e6


def load(kind, port, connections, parallel, calls, size):
    if kind == "grpc-go":
        command = [GO, "-connections", connections, "-parallel", parallel, "-calls", calls, "-size", size, "load", f"127.0.0.1:{port}"]
    else:
        command = [SWIFT, "load", kind, port, connections, parallel, calls, size]
    before = cpu_of_children()
    figures = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout.split()
    return float(figures[0]), float(figures[1]), (cpu_of_children() - before) / calls


def idle_memory(kind, count=2_000):
    import socket

    server = Server(kind)
    before = server.memory()
    connections = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + b"\0\0\0\4\1\0\0\0\0")
        connections.append(connection)
    for connection in connections:
        connection.recv(100)
    after = server.memory()
    for connection in connections:
        connection.close()
    server.stop()
    return (after - before) * 1024 / count


def main():
    print("| case | server | client | calls/s | latency µs | server CPU µs/call | client CPU µs/call | server MB |")
    print("|---|---|---|---|---|---|---|---|")
    for name, connections, parallel, calls, size in CASES:
        for server_kind, client_kind in [(kind, "grpc-go") for kind in ("own", "library", "grpc-go")] + [("grpc-go", "own"), ("grpc-go", "library"), ("own", "own")]:
            best = None
            for _ in range(ROUNDS):
                server = Server(server_kind)
                before = server.cpu()
                rate, latency, client = load(client_kind, server.port, connections, parallel, calls, size)
                row = ((server.cpu() - before) / calls, latency, rate, client, server.memory())
                server.stop()
                best = min(best or row, row)
            print(f"| {name} | {server_kind} | {client_kind} | {best[2]:.0f} | {best[1]:.0f} | {best[0]:.1f} | {best[3]:.1f} | {best[4]:.0f} |")
            sys.stdout.flush()
    for kind in ("own", "library", "grpc-go"):
        print(f"idle connection, {kind} server: {idle_memory(kind):.1f} KiB")


if __name__ == "__main__":
    main()

"""An Ethereum node for tests: a chain of real EVM blocks behind several endpoints on loopback, each of which misbehaves as told.

    node.py [--endpoints N] [--chain-id ID] [--blocks N] [--block-time SECONDS] [--interval SECONDS] [--port FIRST]

On standard output it prints one line of JSON: the ports of the endpoints, and that of the control. What the control takes is in README.md.
"""

import argparse
import asyncio
import collections
import json
import sys

import evm
from changes import Changes
from rpc import View


class Endpoint:
    """One port. `fault` says how it misbehaves; the values are those of README.md."""

    def __init__(self, chain):
        self.view = View(chain)
        self.fault = None
        self.seconds = 0
        self.reset()

    def reset(self):
        self.requests = 0
        self.methods = collections.Counter()

    def set_fault(self, command):
        kind = command.get("kind")
        self.fault = None if kind == "none" else kind
        self.seconds = command.get("seconds", 1)
        view = self.view
        view.frozen_at = view.chain.head.number if kind == "stale" else None
        view.chain_id = 1 if kind == "wrongChain" else view.chain.chain_id
        view.is_lying = kind == "disagree"
        view.is_syncing = kind == "syncing"
        view.state_depth = 8 if kind == "pruned" else None

    async def answer(self, body, writer):
        request = json.loads(body)
        entries = request if isinstance(request, list) else [request]
        self.requests += 1
        self.methods.update(entry.get("method", "") for entry in entries)
        if await self._misbehave(writer):
            return
        answers = [self.view.answer(entry) for entry in entries]
        write(writer, 200, json.dumps(answers if isinstance(request, list) else answers[0]))

    async def _misbehave(self, writer):
        """Whether the request has been answered, if that is the word."""
        match self.fault:
            case "hang":
                await asyncio.sleep(3600)
            case "slow":
                await asyncio.sleep(self.seconds)
                return False
            case "500":
                write(writer, 500, "internal server error")
            case "429":
                write(writer, 429, "too many requests", f"Retry-After: {self.seconds}\r\n")
            case "garbage":
                write(writer, 200, "<html>nothing to see here</html>")
            case "cut":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"jsonrpc\":\"2.0\",")
                writer.close()
            case "refuse":
                writer.close()
            case _:
                return False
        return True


def write(writer, status, text, headers=""):
    body = text.encode()
    head = f"HTTP/1.1 {status} Node\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


class Control:
    """Changes the chain and the endpoints as tests ask for it."""

    def __init__(self, chain, endpoints):
        self.chain = chain
        self.endpoints = endpoints
        self.changes = Changes()

    async def answer(self, body, writer):
        command = json.loads(body)
        try:
            result = getattr(self, "_" + command["do"])(command)
        except (evm.Reverted, KeyError, AttributeError, ValueError) as error:
            write(writer, 400, json.dumps({"error": f"{type(error).__name__}: {error}"}))
            return
        write(writer, 200, json.dumps(result))

    def _mine(self, command):
        calls = self.changes.calls(command.get("changes", []))
        # Few enough for the gas of a block.
        for start in range(0, len(calls), 20):
            self.chain.mine(calls[start:start + 20])
        for _ in range(command.get("blocks", 0 if calls else 1)):
            self.chain.mine()
        return self._head(command)

    def _reorganise(self, command):
        self.chain.reorganise(command["depth"], self.changes.calls(command.get("changes", [])), command.get("blocks"))
        return self._head(command)

    def _head(self, _command):
        head = self.chain.head
        return {"number": head.number, "hash": "0x" + head.hash.hex(), "timestamp": head.header.timestamp}

    def _fault(self, command):
        for index in command.get("endpoints", range(len(self.endpoints))):
            self.endpoints[index].set_fault(command)
        return {}

    def _stats(self, _command):
        return [{"requests": endpoint.requests, "methods": dict(endpoint.methods)} for endpoint in self.endpoints]

    def _reset(self, _command):
        for endpoint in self.endpoints:
            endpoint.reset()
        return {}


async def serve(handler, port):
    """Answers HTTP/1.1 requests on `port` by `handler`; returns the port."""

    async def connection(reader, writer):
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").lower().split("\r\n")
                length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), 0)
                await handler(await reader.readexactly(length), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", port)
    return server.sockets[0].getsockname()[1]


async def mine_for_ever(chain, seconds):
    while True:
        await asyncio.sleep(seconds)
        chain.mine()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoints", type=int, default=1)
    parser.add_argument("--chain-id", type=int, default=31337)
    parser.add_argument("--blocks", type=int, default=20)
    parser.add_argument("--block-time", type=float, default=0)
    parser.add_argument("--interval", type=int, default=12)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    chain = evm.EVM(options.chain_id, interval=options.interval)
    for _ in range(options.blocks):
        chain.mine()
    endpoints = [Endpoint(chain) for _ in range(options.endpoints)]
    control = Control(chain, endpoints)
    handlers = [endpoint.answer for endpoint in endpoints] + [control.answer]
    ports = [await serve(handler, options.port and options.port + index) for index, handler in enumerate(handlers)]
    print(json.dumps({"endpoints": ports[:-1], "control": ports[-1]}), flush=True)
    mining = asyncio.create_task(mine_for_ever(chain, options.block_time)) if options.block_time else None
    # Ends with the process that started it, which holds the other end.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    if mining:
        mining.cancel()


asyncio.run(main())

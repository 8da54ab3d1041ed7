"""A C-core server of ponos.transport.Echo; prints its port and serves until its standard input ends; a line there means to take no more calls."""

import argparse
import concurrent.futures
import sys
import threading

import grpc

CODES = {code.value[0]: code for code in grpc.StatusCode}


def unary(messages, context):
    echoed = tuple((key, value) for key, value in context.invocation_metadata() if key.startswith("x-ponos-"))
    context.send_initial_metadata(echoed)
    context.set_trailing_metadata(echoed)
    yield from messages


def chat(messages, context):
    yield from messages


def collect(messages, context):
    yield str(sum(len(message) for message in messages)).encode()


def expand(messages, context):
    for message in messages:
        count, size = map(int, message.split())
        for index in range(count):
            yield bytes([index % 256]) * size


def fail(messages, context):
    code, text = next(messages).decode().split(" ", 1)
    context.set_trailing_metadata((("why", "asked for"),))
    context.abort(CODES[int(code)], text)
    yield b""


def hang(messages, context):
    ended = threading.Event()
    context.add_callback(ended.set)
    ended.wait()
    yield b""


def hang_after_metadata(messages, context):
    yield b"\x01"
    yield from hang(messages, context)


METHODS = {
    "Unary": unary, "Chat": chat, "Collect": collect, "Expand": expand, "Fail": fail,
    "Hang": hang, "HangAfterMetadata": hang_after_metadata,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ca")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    options = parser.parse_args()
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(64),
        options=[("grpc.max_receive_message_length", 16 << 20), ("grpc.http2.min_ping_interval_without_data_ms", 1000)])
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(
        "ponos.transport.Echo", {name: grpc.stream_stream_rpc_method_handler(run) for name, run in METHODS.items()})])
    if options.certificate:
        def read(path):
            return open(path, "rb").read()

        roots = read(options.ca) if options.ca else None
        credentials = grpc.ssl_server_credentials(
            [(read(options.key), read(options.certificate))], roots, require_client_auth=roots is not None)
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    for _ in sys.stdin:
        # All the parent ever says is that we are to take no more calls.
        server.stop(60)
    server.stop(0)


if __name__ == "__main__":
    main()

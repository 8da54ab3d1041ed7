"""A C-core client that checks every kind of call of ponos.transport.Echo; prints a line for each and exits 1 if one failed."""

import argparse
import queue
import sys

import grpc

SERVICE = "/ponos.transport.Echo/"
TEXT = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608 100%\t\n"


def pattern(size):
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def identity(message):
    return message


class Echo:
    def __init__(self, channel):
        self.channel = channel

    def unary(self, name="Unary"):
        return self.channel.unary_unary(SERVICE + name, identity, identity)

    def stream(self, name):
        return self.channel.stream_stream(SERVICE + name, identity, identity)


def check_sizes(echo):
    for size in (0, 1, 100, 314159, 3 << 20):
        assert echo.unary()(pattern(size), timeout=60) == pattern(size), size


def check_gzip(echo):
    answer = echo.unary()(pattern(271828), timeout=60, compression=grpc.Compression.Gzip)
    assert answer == pattern(271828)


def check_client_streaming(echo):
    sizes = (27182, 8, 1828, 45904)
    answers = list(echo.stream("Collect")(map(pattern, sizes), timeout=60))
    assert answers == [str(sum(sizes)).encode()], answers


def check_server_streaming(echo):
    answers = list(echo.stream("Expand")(iter([b"500 10000"]), timeout=60))
    assert [answer[0] for answer in answers] == [index % 256 for index in range(500)]
    assert all(len(answer) == 10000 for answer in answers)


def check_ping_pong(echo):
    to_send = queue.Queue()
    answers = echo.stream("Chat")(iter(to_send.get, None), timeout=60)
    for turn in range(500):
        to_send.put(pattern(turn))
        assert next(answers) == pattern(turn), turn
    to_send.put(None)
    assert list(answers) == []


def check_metadata(echo):
    sent = (("x-ponos-text", "one"), ("x-ponos-text", "two"), ("x-ponos-bytes-bin", b"\x00\xff\x0a\x0b"))
    _, call = echo.unary().with_call(b"1", metadata=sent, timeout=60)
    for received in (call.initial_metadata(), call.trailing_metadata()):
        found = sorted((key, value) for key, value in received if key.startswith("x-ponos-"))
        assert found == sorted(sent), found


def check_statuses(echo):
    for code in grpc.StatusCode:
        if code is grpc.StatusCode.OK:
            continue
        try:
            echo.unary("Fail")(f"{code.value[0]} {TEXT}".encode(), timeout=60)
            raise AssertionError("no error")
        except grpc.RpcError as error:
            assert error.code() is code and error.details() == TEXT, error


def check_unimplemented(echo):
    for path in (SERVICE + "None", "/ponos.transport.Other/Unary"):
        try:
            echo.channel.unary_unary(path, identity, identity)(b"1", timeout=60)
            raise AssertionError("no error")
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.UNIMPLEMENTED, error


def check_timeout(echo):
    try:
        echo.unary("Hang")(b"1", timeout=0.1)
        raise AssertionError("no error")
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED, error


def check_cancellation_at_once(echo):
    to_send = queue.Queue()
    call = echo.stream("Collect")(iter(to_send.get, None), timeout=60)
    call.cancel()
    try:
        next(call)
        raise AssertionError("no error")
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.CANCELLED, error
    to_send.put(None)


def check_cancellation(echo):
    call = echo.stream("HangAfterMetadata")(iter([b"1"]), timeout=60)
    assert next(call) == b"\x01"
    call.cancel()
    try:
        next(call)
        raise AssertionError("no error")
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.CANCELLED, error


def check_too_large(echo):
    try:
        echo.unary()(pattern(5 << 20), timeout=60)
        raise AssertionError("no error")
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, error


def check_concurrency(echo):
    futures = [(size, echo.unary().future(pattern(size), timeout=60)) for size in range(0, 150 * 37, 37)]
    for size, future in futures:
        assert future.result() == pattern(size), size


def drain(echo):
    """A call that the server answers after it has begun to shut down."""
    answer = echo.unary("Ignore").future(b"", timeout=60)
    print("begun", flush=True)
    assert answer.result() == b"\x07"


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]


def channel(options):
    limits = [
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.max_receive_message_length", 16 << 20),
    ]
    if not options.ca:
        return grpc.insecure_channel(options.address, limits)

    def read(path):
        return open(path, "rb").read() if path else None

    credentials = grpc.ssl_channel_credentials(read(options.ca), read(options.key), read(options.certificate))
    return grpc.secure_channel(options.address, credentials, limits + [("grpc.ssl_target_name_override", "localhost")])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--ca")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--drain", action="store_true")
    options = parser.parse_args()
    echo = Echo(channel(options))
    if options.drain:
        drain(echo)
        return
    failed = False
    for check in CHECKS:
        try:
            check(echo)
            print("ok", check.__name__)
        except Exception as error:  # pylint: disable=broad-except
            failed = True
            print("FAIL", check.__name__, type(error).__name__, error)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

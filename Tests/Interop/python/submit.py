"""Submits serialized tasks over one connection of grpcio and writes the replies; see ../README.md for the files."""

import argparse
import concurrent.futures
import json
import struct
import sys
import threading
import time

import grpc
from eigenlayer.hourglass.v1 import executor_pb2, executor_pb2_grpc

OPTIONS = [
    # What the stock aggregator does: a ping every 10 seconds, calls or no calls.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A connection of its own, so that what is counted is what was used.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
]


def read_requests(path):
    requests = []
    with open(path, "rb") as file:
        while head := file.read(4):
            (size,) = struct.unpack(">I", head)
            requests.append(executor_pb2.TaskSubmission.FromString(file.read(size)))
    if not requests:
        raise SystemExit(f"error: {path} holds no requests")
    return requests


def call(stub, request):
    try:
        return 0, stub.SubmitTask(request, timeout=30).SerializeToString()
    except grpc.RpcError as error:
        return error.code().value[0], error.details().encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True, help="host:port of ExecutorService")
    parser.add_argument("--requests", required=True, help="file of serialized TaskSubmissions")
    parser.add_argument("--replies", required=True, help="file to write the replies to")
    parser.add_argument("--count", type=int, default=0, help="calls; more than requests means they are sent again")
    parser.add_argument("--concurrency", type=int, default=1, help="calls in flight")
    parser.add_argument("--idle", type=float, default=0, help="seconds without calls after the first half")
    arguments = parser.parse_args()

    requests = read_requests(arguments.requests)
    count = arguments.count or len(requests)
    ready = threading.Event()
    states = []

    def observe(state):
        states.append(state)
        if state is grpc.ChannelConnectivity.READY:
            ready.set()

    with grpc.insecure_channel(arguments.address, options=OPTIONS) as channel:
        channel.subscribe(observe, try_to_connect=True)
        if not ready.wait(10):
            raise SystemExit(f"error: no connection to {arguments.address} within 10 seconds")
        stub = executor_pb2_grpc.ExecutorServiceStub(channel)
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(arguments.concurrency) as workers:
            replies = list(workers.map(lambda i: call(stub, requests[i % len(requests)]), range(count // 2)))
            time.sleep(arguments.idle)
            replies += workers.map(lambda i: call(stub, requests[i % len(requests)]), range(count // 2, count))
        seconds = time.monotonic() - began - arguments.idle

    with open(arguments.replies, "wb") as file:
        for code, body in replies:
            file.write(struct.pack(">II", code, len(body)) + body)
    json.dump(
        {
            "calls": count,
            "seconds": seconds,
            # A channel that loses its connection leaves READY and comes back to it.
            "connectionsBegun": states.count(grpc.ChannelConnectivity.READY),
            "connectionsEnded": sum(1 for state in states if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE),
        },
        sys.stdout,
    )
    print()


if __name__ == "__main__":
    main()

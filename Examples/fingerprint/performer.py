"""A performer over HTTP in plain Python: answers each payload with its SHA-256, 32 bytes that a contract reads as bytes32."""

import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Fingerprint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open between tasks
    wbufsize = -1  # head and body in one packet

    def do_GET(self):
        self.answer(200 if self.path == "/health" else 404)

    def do_POST(self):
        payload = self.rfile.read(int(self.headers["Content-Length"]))
        if not payload:
            return self.answer(400, b"the payload is empty: send the bytes to take the fingerprint of")
        self.answer(200, hashlib.sha256(payload).digest())

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Ponos-Task-Id", self.headers.get("Ponos-Task-Id", ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    request_queue_size = 128  # tasks come several at a time


Server(("", 8080), Fingerprint).serve_forever()

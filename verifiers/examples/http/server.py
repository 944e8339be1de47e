"""A verifier as a server: right is a response whose last line is the reference. Prints its address and serves.

usage: server.py [PORT]    0, the default, takes a free one
"""
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Judge(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.send(200, b"")

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = request["response"].strip().split("\n")[-1].strip()
        is_right = found == str(request["reference"])
        reason = f"the last line {'is' if is_right else 'is not'} {request['reference']}"
        answer = {"id": request["id"], "score": 1.0 if is_right else 0.0, "reason": reason, "extracted": found}
        self.send(200, json.dumps(answer).encode())

    def send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
server = ThreadingHTTPServer(("127.0.0.1", port), Judge)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()

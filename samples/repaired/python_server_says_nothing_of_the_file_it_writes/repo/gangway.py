import os
from http.server import BaseHTTPRequestHandler, HTTPServer

HERE = os.path.dirname(os.path.abspath(__file__))
COUNTER = os.path.join(HERE, os.environ.get("COUNTER_NAME", "visitors") + ".txt")


def next_visitor():
    seen = 0
    if os.path.exists(COUNTER):
        with open(COUNTER) as counter:
            seen = int(counter.read())
    with open(COUNTER, "w") as counter:
        counter.write(str(seen + 1))
    return seen + 1


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, text = 200, f"You are visitor {next_visitor()}\n"
        except OSError:
            status, text = 500, "Please come back later\n"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


HTTPServer(("", 8600), Page).serve_forever()

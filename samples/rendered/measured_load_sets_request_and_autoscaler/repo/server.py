from http.server import BaseHTTPRequestHandler, HTTPServer


class Tides(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"high at 04:12 and 16:37\n")


HTTPServer(("0.0.0.0", 8080), Tides).serve_forever()

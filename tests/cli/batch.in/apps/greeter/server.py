import http.server as h

h.HTTPServer(("0.0.0.0", 8000), h.SimpleHTTPRequestHandler).serve_forever()

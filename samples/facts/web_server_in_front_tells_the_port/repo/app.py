import sys

from bottle import route, run


@route("/")
def index():
    return "ok"


run(host="0.0.0.0", port=int(sys.argv[1]) if len(sys.argv) > 1 else 7300)

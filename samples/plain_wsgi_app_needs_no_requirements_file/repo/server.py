import csv
from html import escape
from pathlib import Path
from wsgiref.simple_server import make_server

PEOPLE = Path(__file__).with_name("people.csv")


def app(environ, start_response):
    with PEOPLE.open(newline="", encoding="utf-8") as file:
        people = list(csv.DictReader(file))
    rows = "".join(f"<tr><td>{escape(p['name'])}<td>{escape(p['extension'])}" for p in people)
    page = f"<!doctype html><title>Phone list</title><h1>{len(people)} people</h1><table>{rows}</table>"
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [page.encode()]


if __name__ == "__main__":
    make_server("", 8321, app).serve_forever()

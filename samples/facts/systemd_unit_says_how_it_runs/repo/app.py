import os

from flask import Flask

SHELVES = os.environ["SHELVES"]
app = Flask(__name__)


@app.route("/")
def index():
    return "ok"

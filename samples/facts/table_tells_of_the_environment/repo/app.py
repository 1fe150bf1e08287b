import os

from flask import Flask

SHELVES = os.environ["SHELVES"]
TOKEN = os.environ["LARDER_TOKEN"]
app = Flask(__name__)


@app.route("/")
def index():
    return "ok"

import os

from flask import Flask

HOST = os.environ["SUPPLIER_HOST"]
app = Flask(__name__)


@app.route("/")
def index():
    return "ok"

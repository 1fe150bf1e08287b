import os

import psycopg2
from flask import Flask

app = Flask(__name__)
database = psycopg2.connect(os.environ["DATABASE_URL"])


@app.route("/")
def index():
    return "ok"

import os

import psycopg2
from flask import Flask

app = Flask(__name__)


@app.route("/")
def index():
    with psycopg2.connect(os.environ["DATABASE_URL"]) as db:
        return db.info.dbname

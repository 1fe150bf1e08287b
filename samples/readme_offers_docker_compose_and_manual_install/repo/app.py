import os

import psycopg2
from flask import Flask

app = Flask(__name__)

TABLE = """
CREATE TABLE IF NOT EXISTS item (
    id SERIAL PRIMARY KEY,
    what TEXT NOT NULL,
    tram_line INTEGER NOT NULL,
    returned BOOLEAN NOT NULL DEFAULT FALSE
)
"""


def connect():
    return psycopg2.connect(os.environ["DATABASE_URL"])


@app.cli.command("init-db")
def init_db():
    """Create the table if it is not there."""
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
    print("database is ready")


@app.get("/")
def index():
    connection = connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM item WHERE NOT returned")
            (waiting,) = cursor.fetchone()
    finally:
        connection.close()
    return f"{waiting} items waiting\n", {"Content-Type": "text/plain; charset=utf-8"}

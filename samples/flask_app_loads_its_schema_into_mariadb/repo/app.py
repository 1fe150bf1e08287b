import os

import pymysql
from flask import Flask

app = Flask(__name__)


def books():
    connection = pymysql.connect(
        host=os.environ["DB_HOST"],
        user=os.environ["DB_USER"],
        password=os.environ["DB_PASSWORD"],
        database=os.environ["DB_NAME"],
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT title, lent_to FROM book ORDER BY title")
        return cursor.fetchall()


@app.get("/")
def index():
    rows = books()
    lines = [f"{len(rows)} books"]
    lines += [f"{title}: {'lent to ' + lent_to if lent_to else 'on the shelf'}" for title, lent_to in rows]
    return "\n".join(lines) + "\n", {"Content-Type": "text/plain; charset=utf-8"}

import psycopg2
from flask import Flask

app = Flask("berth")


@app.get("/")
def quay():
    return "free"

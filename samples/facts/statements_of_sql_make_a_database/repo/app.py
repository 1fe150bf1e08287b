from flask import Flask

DATABASE = "postgresql://localhost/pantry"
app = Flask(__name__)


@app.route("/")
def index():
    return "ok"

from flask import Flask

app = Flask(__name__)


@app.route("/v1/boats")
def boats():
    return ["Punt", "Skiff"]

from flask import Flask

import config

app = Flask(__name__)


@app.route("/")
def now():
    return config.ZONE


app.run(host="0.0.0.0", port=5000)

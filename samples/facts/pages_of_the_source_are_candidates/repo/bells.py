from flask import Flask

app = Flask(__name__)
rung = []


@app.route("/bells/last")
def last():
    return {"at": rung[-1] if rung else None}


@app.get("/bells")
def bells():
    return {"rung": rung}


@app.route("/bells/clear")
def clear():
    rung.clear()
    return {}


@app.route("/bells/<int:number>")
def bell(number):
    return {"at": rung[number]}

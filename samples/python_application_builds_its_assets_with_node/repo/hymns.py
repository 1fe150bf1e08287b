from flask import Flask, render_template

app = Flask(__name__)


@app.route("/")
def board():
    return render_template("board.html", numbers=[12, 345, 501])

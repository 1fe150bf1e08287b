from flask import Flask, request

app = Flask(__name__)
notes = ["Paper for the calendar is in bay 4", "Press 2 runs hot: check at six"]


@app.get("/")
def show():
    lines = [f"{len(notes)} notes", *notes]
    return "\n".join(lines) + "\n", {"Content-Type": "text/plain; charset=utf-8"}


@app.post("/")
def leave():
    notes.append(request.form["text"])
    return f"{len(notes)} notes\n"

import os

from flask import Flask
from flask_mail import Mail, Message

app = Flask(__name__)
app.config.update(
    MAIL_SERVER=os.environ["MAIL_SERVER"],
    MAIL_PORT=int(os.environ.get("MAIL_PORT", 25)),
    MAIL_USE_TLS=os.environ.get("MAIL_USE_TLS", "true") == "true",
    MAIL_USERNAME=os.environ.get("MAIL_USERNAME"),
    MAIL_PASSWORD=os.environ.get("MAIL_PASSWORD"),
    MAIL_DEFAULT_SENDER="choir@example.org",
)
mail = Mail(app)


@app.get("/")
def index():
    return "The choir meets on Thursday"


@app.get("/remind")
def remind():
    members = ["alto@example.org", "bass@example.org"]
    for member in members:
        mail.send(Message("Rehearsal", recipients=[member], body="Thursday at eight."))
    return f"reminded {len(members)} members"

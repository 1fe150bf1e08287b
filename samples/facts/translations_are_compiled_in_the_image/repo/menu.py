import subprocess

from flask import Flask
from flask_babel import Babel, gettext

app = Flask(__name__)
Babel(app)


@app.cli.group()
def translate():
    """Catalogues of translations."""


@translate.command()
def compile():
    subprocess.run(["pybabel", "compile", "-d", "translations"], check=True)


@app.route("/")
def dish():
    return gettext("Soup of the day")

import os

from bottle import route, run

MINUTES = int(os.environ["JWT_RESET_PASSWORD_EXPIRATION_MINUTES"])
SECONDS = int(os.environ["ACCESS_TOKEN_TTL"])
SECRET = os.environ["JWT_SECRET"]
assert os.environ["APP_ENV"] in ("dev", "test", "prod")


@route("/")
def lifetimes():
    return {"reset": MINUTES * 60, "access": SECONDS}


run(host="0.0.0.0", port=8080)

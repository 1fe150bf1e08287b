from bottle import route, run


@route("/")
def ring():
    return "ding"


run(host="0.0.0.0", port=8080)

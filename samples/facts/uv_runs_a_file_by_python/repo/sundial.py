from bottle import route, run


@route("/")
def shadow():
    return "noon"


run(host="0.0.0.0", port=7800)

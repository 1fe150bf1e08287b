import bottle
import flask

app = flask.Flask(__name__)
old = bottle.default_app()

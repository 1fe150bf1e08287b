import os
import flask

HOST = os.environ["SUPPLIER_HOST"]
app = flask.Flask(__name__)

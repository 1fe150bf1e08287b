import configparser

import pymysql
from flask import Flask

config = configparser.ConfigParser()
config.read("config.ini")
app = Flask(__name__)


@app.route("/")
def now():
    pymysql.connect(**config["mysql"]).close()
    return config["station"]["name"]


app.run(host="0.0.0.0", port=5000)

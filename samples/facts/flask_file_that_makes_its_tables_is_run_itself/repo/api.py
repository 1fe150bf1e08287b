from flask import Flask, jsonify
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///accounts.sqlite"
db = SQLAlchemy(app)


@app.get("/")
def index():
    return jsonify([])


if __name__ == "__main__":
    with app.app_context():
        db.create_all()
    app.run(debug=True)

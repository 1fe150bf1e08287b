from flask.cli import FlaskGroup


def main():
    FlaskGroup().main()

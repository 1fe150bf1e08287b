import argparse

from aiohttp import web


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=7900)
    app = web.Application()
    web.run_app(app, host="0.0.0.0", port=parser.parse_args().port)

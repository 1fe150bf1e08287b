import os

from elasticsearch import Elasticsearch
from flask import Flask

app = Flask(__name__)
search = Elasticsearch(os.environ.get("ELASTICSEARCH_URL", "http://localhost:9200"))


@app.route("/")
def find():
    search.index(index="books", id="1", document={"title": "The Shore"}, refresh=True)
    found = search.search(index="books", query={"match": {"title": "shore"}})
    return f"found {found['hits']['hits'][0]['_source']['title']}\n"

import os

from fastapi import FastAPI

CASSANDRA_HOST = os.environ["CASSANDRA_HOST"]
COUCHDB_URL = os.environ["COUCHDB_URL"]
ELASTICSEARCH_URL = os.environ.get("ELASTICSEARCH_URL", "http://localhost:9200")
INFLUXDB_HOST = os.environ["INFLUXDB_HOST"]
MSSQL_HOST = os.environ["MSSQL_HOST"]
MSSQL_PASSWORD = os.environ["MSSQL_PASSWORD"]
NATS_URL = os.environ.get("NATS_URL", "nats://localhost:4222")
NEO4J_URI = os.environ["NEO4J_URI"]
NEO4J_PASSWORD = os.environ["NEO4J_PASSWORD"]
OPENSEARCH_HOST = os.environ["OPENSEARCH_HOST"]
S3_ENDPOINT = os.environ.get("S3_ENDPOINT", "http://localhost:9000")
S3_ACCESS_KEY = os.environ["S3_ACCESS_KEY"]
S3_SECRET_KEY = os.environ["S3_SECRET_KEY"]
SOLR_URL = os.environ["SOLR_URL"]
SQS_ENDPOINT = os.environ["SQS_ENDPOINT"]
ZOOKEEPER_HOSTS = os.environ["ZOOKEEPER_HOSTS"]

app = FastAPI()

import os

import boto3
from flask import Flask

app = Flask(__name__)
s3 = boto3.client("s3", endpoint_url=os.environ["S3_ENDPOINT_URL"])
bucket = os.environ["S3_BUCKET"]


@app.route("/")
def wall():
    s3.put_object(Bucket=bucket, Key="greeting.txt", Body=b"hello")
    names = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    s3.get_object(Bucket=bucket, Key=names[0])
    return f"wrote and read {names[0]}\n"

"""Makes a bucket of S3 and a container of Azure in emulators that the environment names."""

import os
import sys

import boto3
from azure.storage.blob import BlobServiceClient


def main() -> None:
    name = sys.argv[1]
    if endpoint := os.environ.get("MLFLOW_S3_ENDPOINT_URL"):
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name)
    if connection := os.environ.get("AZURE_STORAGE_CONNECTION_STRING"):
        BlobServiceClient.from_connection_string(connection).create_container(name)


if __name__ == "__main__":
    main()

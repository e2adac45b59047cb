"""An S3 server on loopback, and buckets on it, for tests of what is kept far away."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import boto3
import pytest
import requests
from moto import settings
from moto.server import ThreadedMotoServer

from warehouse.window import Window

BUCKET = "marketplace"
PREFIX = "in/coming"
REGION = "eu-central-1"
NOBODY = "http://127.0.0.1:9"  # a port on which nothing listens


class S3:
    """A running server with one bucket."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.client: Any = boto3.client(
            "s3", endpoint_url=endpoint, region_name=REGION, aws_access_key_id="tests", aws_secret_access_key="tests"
        )
        self.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.url = f"s3://{BUCKET}/{PREFIX}"

    def put(self, name: str, content: bytes) -> None:
        """Write an object below the prefix."""
        self.client.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{name}", Body=content)

    def land(self, window: Window, content: bytes, name: str = "a.ndjson") -> None:
        """Write a landing file of the window's first day."""
        self.put(f"events/dt={window.start}/{name}", content)

    def empty(self) -> None:
        """Delete every object."""
        for item in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
            self.client.delete_object(Bucket=BUCKET, Key=item["Key"])

    @contextlib.contextmanager
    def checking_credentials(self) -> Iterator[None]:
        """Signatures are checked, and nobody's key is known."""
        with patch.object(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0):
            yield


@contextlib.contextmanager
def serving() -> Iterator[S3]:
    """Start a server on a free port, and stop it."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        # Buckets outlive their server in its process.
        requests.post(f"{endpoint}/moto-api/reset", timeout=10)
        yield S3(endpoint)
    finally:
        server.stop()


def point_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables by which clients find the server and their credentials."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

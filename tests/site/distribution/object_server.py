"""An S3 server of the tests' own, a process on loopback: moto's."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any


class ObjectServer:
    """A server that can be stopped and started again; it forgets everything then."""

    def __init__(self, folder: Path) -> None:
        """Choose a port; the log goes into the folder."""
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.bucket = ""

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = ("-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen((sys.executable, *words), stdout=log, stderr=log)
        for _ in range(600):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", self.port)):
                    return
            time.sleep(0.1)
        message = f"the S3 server does not answer: {self._log.read_text()[-2000:]}"
        raise RuntimeError(message)

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> Any:
        """Give a client of the tests' own."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="lab",
            aws_secret_access_key="lab",  # noqa: S106 - any word is right to this server
        )

    def make_bucket(self) -> None:
        """Make a bucket that was never there."""
        self.bucket = f"lab-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=self.bucket)

    def get(self, key: str) -> bytes:
        """Give an object."""
        found: bytes = self.client().get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return found

    def keys(self) -> list[str]:
        """Name the objects."""
        found = self.client().list_objects_v2(Bucket=self.bucket)
        return [each["Key"] for each in found.get("Contents", ())]

    def uploads(self) -> list[str]:
        """Give the uploads that have not ended."""
        found = self.client().list_multipart_uploads(Bucket=self.bucket)
        return [each["UploadId"] for each in found.get("Uploads", ())]

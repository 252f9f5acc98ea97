"""The calls to an S3-compatible object store, their errors in our words.

boto3 is imported when the first call is made. It finds credentials where it always does: in the
environment, in its own files, or in the metadata of the machine; wimdock keeps none.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wimdock.errors import DistributionError, PointDown
from wimdock.site.distribution.location import Location
from wimdock.site.distribution.object_parts import Part
from wimdock.site.distribution.source import PIECE

_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_ATTEMPTS = 3
_REGION_OF_NONE = "us-east-1"
_SERVER_FAULT = 500

_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_DOWN = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "503"})
_HINTS = {
    "NoSuchBucket": "Make the bucket, or name another one.",
    "404": "Make the bucket, or name another one.",
    "AccessDenied": "docs/guide/distribution.md lists the permissions that are needed.",
    "403": "docs/guide/distribution.md lists the permissions that are needed.",
    "InvalidAccessKeyId": "Check the credentials in the environment: AWS_ACCESS_KEY_ID.",
    "SignatureDoesNotMatch": "Check the credentials in the environment: AWS_SECRET_ACCESS_KEY.",
    "PreconditionFailed": "The next transfer sends the whole file.",
}


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that an upload holds: what the store says of it, for its completion."""

    number: int
    size: int
    tag: str
    sha256: str = ""

    def holds(self, data: bytes) -> bool:
        """Tell whether it is certainly this: by its SHA-256, or by its MD5 where it is no other."""
        if len(data) != self.size:
            return False
        if self.sha256:
            return self.sha256 == sha256_of(data)
        return self.tag.strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest()

    def document(self) -> dict[str, object]:
        """Give what the completion of the upload says of it."""
        found: dict[str, object] = {"PartNumber": self.number, "ETag": self.tag}
        return found | {"ChecksumSHA256": self.sha256} if self.sha256 else found


def sha256_of(data: bytes) -> str:
    """Give a SHA-256 as S3 writes it: Base64."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode("ascii")


class ObjectStore:
    """A bucket at a server; every key is given whole."""

    def __init__(self, point: str, location: Location) -> None:
        """Take the name of the point, for errors, and its location; connect to nothing yet."""
        self._point = point
        self._location = location
        self._bucket = location.bucket
        self._client_made: Any = None

    def close(self) -> None:
        """Close the connections."""
        if self._client_made is not None:
            self._client_made.close()
            self._client_made = None

    def check(self) -> None:
        """Make sure that the bucket is there and may be used."""
        with self._asking():
            self._client().head_bucket(Bucket=self._bucket)

    # Objects

    def head(self, key: str) -> tuple[int, str] | None:
        """Give the size and the tag of an object; None where there is none."""
        import botocore.exceptions

        with self._asking():
            try:
                found = self._client().head_object(Bucket=self._bucket, Key=key)
            except botocore.exceptions.ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
        return int(found["ContentLength"]), str(found["ETag"])

    def stream(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Give the bytes of an object from `start` to `end`; fewer at its end."""
        import botocore.exceptions

        with self._asking():
            try:
                found = self._client().get_object(
                    Bucket=self._bucket, Key=key, Range=f"bytes={start}-{end - 1}"
                )
            except botocore.exceptions.ClientError as error:
                if _code(error) == "InvalidRange":
                    return
                raise
            with found["Body"] as body:
                while piece := body.read(PIECE):
                    yield piece

    def delete(self, key: str) -> None:
        """Delete an object; one that is not there is fine."""
        with self._asking():
            self._client().delete_object(Bucket=self._bucket, Key=key)

    # Uploads

    def uploads(self, key: str) -> list[str]:
        """Give the uploads of an object that have not ended."""
        with self._asking():
            pages = self._client().get_paginator("list_multipart_uploads")
            return [
                str(upload["UploadId"])
                for page in pages.paginate(Bucket=self._bucket, Prefix=key)
                for upload in page.get("Uploads", ())
                if upload["Key"] == key
            ]

    def abort(self, key: str, upload: str) -> None:
        """End an upload; its parts are gone. One that has ended is fine."""
        import botocore.exceptions

        with self._asking():
            try:
                self._client().abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
            except botocore.exceptions.ClientError as error:
                if _code(error) not in {*_MISSING, "NoSuchUpload"}:
                    raise

    def begin(self, key: str) -> str:
        """Begin an upload and give its ID."""
        with self._asking():
            begun = self._client().create_multipart_upload(
                Bucket=self._bucket, Key=key, ChecksumAlgorithm="SHA256"
            )
        return str(begun["UploadId"])

    def parts(self, key: str, upload: str) -> dict[int, StoredPart] | None:
        """Give the parts of an upload by number; None where the upload has ended."""
        import botocore.exceptions

        with self._asking():
            try:
                pages = self._client().get_paginator("list_parts")
                found = [
                    part
                    for page in pages.paginate(Bucket=self._bucket, Key=key, UploadId=upload)
                    for part in page.get("Parts", ())
                ]
            except botocore.exceptions.ClientError as error:
                if _code(error) in {*_MISSING, "NoSuchUpload"}:
                    return None
                raise
        return {int(each["PartNumber"]): _stored(each, int(each["Size"])) for each in found}

    def send(self, key: str, upload: str, number: int, data: bytes) -> StoredPart:
        """Send a part. The store refuses what does not arrive as it was sent."""
        md5 = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest())
        with self._asking():
            answer = self._client().upload_part(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                Body=data,
                ContentMD5=md5.decode("ascii"),
                ChecksumSHA256=sha256_of(data),
            )
        return _stored(answer | {"PartNumber": number}, len(data))

    def copy(self, key: str, upload: str, part: Part, tag: str) -> StoredPart:
        """Let the store copy a part from the object as it is, if that still has the tag."""
        with self._asking():
            answer = self._client().upload_part_copy(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                PartNumber=part.number,
                CopySource={"Bucket": self._bucket, "Key": key},
                CopySourceRange=f"bytes={part.start}-{part.end - 1}",
                CopySourceIfMatch=tag,
            )
        return _stored(answer["CopyPartResult"] | {"PartNumber": part.number}, part.size)

    def complete(self, key: str, upload: str, parts: Sequence[StoredPart]) -> None:
        """Make the object of the parts: the commit."""
        documents = [part.document() for part in parts]
        with self._asking():
            self._client().complete_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                MultipartUpload={"Parts": documents},
            )

    # The client and its errors

    def _client(self) -> Any:
        if self._client_made is None:
            self._client_made = _new_client(self._location)
        return self._client_made

    @contextmanager
    def _asking(self) -> Iterator[None]:
        import botocore.exceptions

        try:
            yield
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise _point_error(self._point, error) from error


def _new_client(location: Location) -> Any:
    import boto3
    from botocore.config import Config

    session = boto3.session.Session()
    region = location.region or session.region_name
    if location.endpoint and not region:
        region = _REGION_OF_NONE  # a server of one's own has none, but signatures need one
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        # What is sent carries its own hashes; trailing ones are more than many servers know.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if location.endpoint else "auto"},
    )
    return session.client(
        "s3", endpoint_url=location.endpoint or None, region_name=region, config=config
    )


def _stored(answer: Mapping[str, Any], size: int) -> StoredPart:
    checksum = str(answer.get("ChecksumSHA256") or "")
    return StoredPart(int(answer["PartNumber"]), size, str(answer["ETag"]), checksum)


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _point_error(point: str, error: Exception) -> DistributionError:
    import botocore.exceptions as kinds

    message = f"distribution point {point}: {error}"
    down = (kinds.HTTPClientError, kinds.IncompleteReadError, kinds.ConnectionError)
    if isinstance(error, down):
        return PointDown(message)
    if isinstance(error, kinds.ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if _code(error) in _DOWN or status >= _SERVER_FAULT:
            return PointDown(message)
        return DistributionError(message, hint=_HINTS.get(_code(error)))
    hint = "Put the credentials into the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY."
    known = isinstance(error, kinds.NoCredentialsError | kinds.PartialCredentialsError)
    return DistributionError(message, hint=hint if known else None)

"""Object stores: a real S3 server on loopback, uploads in parts, copies by the server."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from tests.lab.lab import Lab
from tests.site.conftest import SetClock
from tests.site.distribution.distributing import (
    ServedImage,
    committed,
    means,
    register,
    sha256,
    verify,
)
from tests.site.distribution.object_server import ObjectServer
from wimdock.errors import (
    AlreadyRecorded,
    ContentMismatch,
    DistributionError,
    NoSuchRecord,
    PointDown,
)
from wimdock.events import Reporter
from wimdock.servicing.options import always
from wimdock.site.distribution import (
    Sent,
    Way,
    add_point,
    claim,
    distribute,
    retry_due,
    send_to,
    update,
    verify_point,
    withdraw,
)
from wimdock.site.distribution.claim import take
from wimdock.site.distribution.object_parts import SMALLEST_PART, plan_parts
from wimdock.site.distribution.object_store import ObjectStore
from wimdock.site.models import (
    Audit,
    ContentState,
    DistributedContent,
    DistributionPoint,
    StatusMessageRow,
)
from wimdock.site.site import Site
from wimdock.wim import Archive

MIB = 1 << 20


@pytest.fixture(scope="module")
def large_image(tmp_path_factory: pytest.TempPathFactory, lab: Lab) -> Path:
    """Give an image file with 17 MiB more of noise: S3 copies no parts of less than 5."""
    folder = tmp_path_factory.mktemp("large")
    image = lab.copy("xpress", folder)
    noise = folder / "noise.bin"
    noise.write_bytes(hashlib.shake_128(b"noise").digest(17 * MIB))
    add = f"add '{noise}' /noise.bin"
    words = ("wimlib-imagex", "update", str(image), "1", "--command", add)
    subprocess.run(words, check=True, capture_output=True)
    return image


@pytest.fixture
def served(site: Site, large_image: Path, tmp_path: Path, objects: ObjectServer) -> ServedImage:
    """Give an image package of 17 MiB, and the point `store`, which does not have it yet."""
    image = Path(shutil.copyfile(large_image, tmp_path / "image.wim"))
    made = register(site, image, tmp_path / "point")
    location = f"s3://{objects.bucket}/images/wim"
    add_point(site, "store", location, endpoint=objects.endpoint)
    return made


def key_of(served: ServedImage) -> str:
    return f"images/wim/{served.id}/image.wim"


def send(served: ServedImage) -> Sent:
    (sent,) = send_to(served.site, [served.id], ["store"], means=means())
    assert sent.error is None
    return sent


def is_served(served: ServedImage, objects: ObjectServer) -> bool:
    return objects.get(key_of(served)) == committed(served.image)


class Failing:
    """Lets a call of the object store fail from the given one on."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, name: str, at: int, error: BaseException
    ) -> None:
        """Count from 0."""
        self.calls = 0
        whole = getattr(ObjectStore, name)

        def fail(store: ObjectStore, *words: object) -> object:
            self.calls += 1
            if self.calls > at:
                raise error
            return whole(store, *words)

        monkeypatch.setattr(ObjectStore, name, fail)


def test_the_whole_file_then_its_tail_then_a_rollback(
    served: ServedImage, objects: ObjectServer
) -> None:
    sent = send(served)
    first = served.image.stat().st_size
    assert (sent.way, sent.sent) == (Way.WHOLE, first)
    assert objects.keys() == [key_of(served)]
    assert is_served(served, objects)
    assert served.placed("store").content.sha256 == sha256(served.image)
    assert send(served).way is Way.NOTHING
    added = served.service()
    sent = send(served)
    assert (sent.way, sent.sent) == (Way.TAIL, added + SMALLEST_PART)
    assert is_served(served, objects)
    (checked,) = verify_point(served.site, "store", means=means())
    assert (checked.error, checked.sha256) == (None, sha256(served.image))
    served.roll_back()
    assert retry_due(served.site, means=means()) == 1
    assert served.placed("store").content.sent == SMALLEST_PART
    assert len(objects.get(key_of(served))) == first
    assert is_served(served, objects)
    assert objects.uploads() == []


def test_what_the_store_serves_is_an_image(
    served: ServedImage, objects: ObjectServer, tmp_path: Path
) -> None:
    send(served)
    served.service()
    send(served)
    got = tmp_path / "got.wim"
    got.write_bytes(objects.get(key_of(served)))
    verify(got)


def test_a_small_file_travels_whole_every_time(
    site: Site, lab_image: Callable[[str], Path], tmp_path: Path, objects: ObjectServer
) -> None:
    served = register(site, lab_image("xpress"), tmp_path / "point")
    add_point(site, "store", f"s3://{objects.bucket}", endpoint=objects.endpoint)
    send(served)
    served.service()
    sent = send(served)
    assert (sent.way, sent.sent) == (Way.TAIL, served.image.stat().st_size)
    assert objects.get(f"{served.id}/xpress.wim") == committed(served.image)


def test_an_interrupted_upload_is_gone_on_with(
    served: ServedImage, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = means(part=5 * MIB)
    with monkeypatch.context() as patch:
        Failing(patch, "send", 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            send_to(served.site, [served.id], means=parts)
    assert objects.keys() == []
    assert len(objects.uploads()) == 1
    assert served.placed("store").content.state is ContentState.WAITING
    assert served.placed("store").content.holder == ""
    (sent,) = update(served.site, means=parts)
    assert sent.error is None
    assert (sent.reused, sent.sent) == (10 * MIB, served.image.stat().st_size - 10 * MIB)
    assert is_served(served, objects)
    assert served.placed("store").content.sha256 == sha256(served.image)
    assert objects.uploads() == []


def test_an_upload_of_a_tail_is_gone_on_with(
    served: ServedImage, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(served)
    old = objects.get(key_of(served))
    added = served.service()
    with monkeypatch.context() as patch:
        Failing(patch, "complete", 0, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            send_to(served.site, [served.id], means=means())
    assert objects.get(key_of(served)) == old
    with monkeypatch.context() as patch:
        Failing(patch, "copy", 0, AssertionError("the copied part is there already"))
        sent = send(served)
    assert (sent.way, sent.sent, sent.reused) == (Way.TAIL, 0, SMALLEST_PART + added)
    assert is_served(served, objects)


def test_an_upload_whose_source_moved_on(
    served: ServedImage, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        Failing(patch, "complete", 0, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            send_to(served.site, [served.id], means=means(part=5 * MIB))
    added = served.service()
    (sent,) = update(served.site, means=means(part=5 * MIB))
    assert sent.error is None
    assert is_served(served, objects)
    # The first part has another header, the last one more behind it.
    assert sent.reused == 10 * MIB
    assert added < sent.sent <= served.image.stat().st_size - 10 * MIB


def test_an_upload_that_was_completed_but_not_recorded(
    served: ServedImage, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        whole = ObjectStore.complete

        def and_stop(store: ObjectStore, *words: object) -> None:
            whole(store, *words)  # type: ignore[arg-type]
            raise KeyboardInterrupt

        patch.setattr(ObjectStore, "complete", and_stop)
        with pytest.raises(KeyboardInterrupt):
            send_to(served.site, [served.id], means=means())
    assert is_served(served, objects)
    sent = send(served)
    assert (sent.way, sent.sent) == (Way.NOTHING, 0)
    assert served.placed("store").content.sha256 == sha256(served.image)


def test_an_upload_that_was_completed_and_never_read_back(
    served: ServedImage, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store spoiled it, and the process stopped before it could see that."""
    with monkeypatch.context() as patch:
        whole = ObjectStore.complete

        def spoil_and_stop(store: ObjectStore, key: str, *words: object) -> None:
            whole(store, key, *words)  # type: ignore[arg-type]
            changed = bytearray(objects.get(key))
            changed[8 * MIB] ^= 1
            objects.client().put_object(Bucket=objects.bucket, Key=key, Body=bytes(changed))
            raise KeyboardInterrupt

        patch.setattr(ObjectStore, "complete", spoil_and_stop)
        with pytest.raises(KeyboardInterrupt):
            send_to(served.site, [served.id], means=means())
    (sent,) = send_to(served.site, [served.id], means=means())
    assert isinstance(sent.error, ContentMismatch)
    assert send(served).way is Way.WHOLE
    assert is_served(served, objects)


def test_nobody_takes_over_what_is_read_back(
    served: ServedImage, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch, clock: SetClock
) -> None:
    """All parts together take longer to read than the claim lasts."""
    taken = []
    whole = ObjectStore.stream

    def slow(store: ObjectStore, key: str, start: int, end: int) -> Iterator[bytes]:
        clock.advance(seconds=50)
        taken.append(take(served.site, served.placed("store").point.id, served.id))
        yield from whole(store, key, start, end)

    def monotonic() -> float:
        return clock.at.timestamp()

    monkeypatch.setattr(ObjectStore, "stream", slow)
    monkeypatch.setattr(claim, "time", SimpleNamespace(monotonic=monotonic))
    (sent,) = send_to(served.site, [served.id], means=means(part=5 * MIB))
    assert sent.error is None
    assert sent.way is Way.WHOLE
    assert len(taken) >= 4
    assert set(taken) == {None}
    assert is_served(served, objects)


def test_an_upload_that_somebody_ended_is_begun_anew(
    served: ServedImage, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        Failing(patch, "complete", 0, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            send_to(served.site, [served.id], means=means())
    (upload,) = objects.uploads()
    objects.client().abort_multipart_upload(
        Bucket=objects.bucket, Key=key_of(served), UploadId=upload
    )
    sent = send(served)
    assert (sent.way, sent.reused) == (Way.WHOLE, 0)
    assert is_served(served, objects)


def test_an_object_that_others_changed_is_noticed(
    served: ServedImage, objects: ObjectServer
) -> None:
    send(served)
    served.service()
    changed = bytearray(objects.get(key_of(served)))
    changed[8 * MIB] ^= 1  # neither the header nor the length tells of it
    objects.client().put_object(Bucket=objects.bucket, Key=key_of(served), Body=bytes(changed))
    sent = send(served)
    assert (sent.way, sent.why) == (Way.WHOLE, "another program changed it at the point")
    assert is_served(served, objects)


def test_damage_is_found_by_the_hash(served: ServedImage, objects: ObjectServer) -> None:
    send(served)
    changed = bytearray(objects.get(key_of(served)))
    changed[8 * MIB] ^= 1
    objects.client().put_object(Bucket=objects.bucket, Key=key_of(served), Body=bytes(changed))
    (checked,) = verify_point(served.site, "store", [served.id], means=means())
    assert isinstance(checked.error, ContentMismatch)
    assert send(served).way is Way.WHOLE
    assert verify_point(served.site, "store", means=means())[0].error is None


def test_what_reads_back_otherwise_is_sent_whole(
    served: ServedImage, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(served)
    served.service()
    with monkeypatch.context() as patch:
        whole = ObjectStore.send

        def spoiled(store: ObjectStore, key: str, upload: str, number: int, data: bytes) -> object:
            return whole(store, key, upload, number, data[:-1] + bytes([data[-1] ^ 1]))

        patch.setattr(ObjectStore, "send", spoiled)
        (sent,) = send_to(served.site, [served.id], means=means())
    assert isinstance(sent.error, ContentMismatch)
    assert send(served).way is Way.WHOLE
    assert is_served(served, objects)


def test_a_server_that_is_down_and_comes_back(
    site: Site, large_image: Path, tmp_path: Path, clock: SetClock, objects: ObjectServer
) -> None:
    """A server of its own, since it forgets what it had."""
    server = ObjectServer(tmp_path)
    server.start()
    try:
        server.make_bucket()
        made = register(site, large_image, tmp_path / "point")
        other = f"s3://{objects.bucket}"
        add_point(site, "down", f"s3://{server.bucket}", endpoint=server.endpoint)
        add_point(site, "up", other, endpoint=objects.endpoint)
        server.stop()
        down, up = send_to(site, [made.id], means=means())
        assert isinstance(down.error, PointDown)
        assert (up.error, up.way) == (None, Way.WHOLE)
        point = made.placed("down").point
        assert (point.down_since, point.error != "") == (clock.now(), True)
        clock.advance(seconds=30)
        again = distribute(site, made.id, Reporter(), always, means=means())
        assert [type(each.error) for each in again] == [PointDown, type(None)]
        assert retry_due(site, means=means()) == 0
        server.start()
        server.client().create_bucket(Bucket=server.bucket)
        clock.advance(seconds=30)
        assert retry_due(site, means=means()) == 1
    finally:
        server.stop()
    point = made.placed("down").point
    assert (point.down_since, point.retry_at, point.error) == (None, None, "")
    assert made.placed("down").is_current


def test_withdrawing_ends_uploads_too(
    served: ServedImage, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(served)
    served.service()
    with monkeypatch.context() as patch:
        Failing(patch, "complete", 0, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            send_to(served.site, [served.id], means=means())
    withdraw(served.site, [served.id], "store")
    assert (objects.keys(), objects.uploads()) == ([], [])
    with pytest.raises(NoSuchRecord):
        withdraw(served.site, [served.id], "store")


def test_what_cannot_be_added(site: Site, objects: ObjectServer) -> None:
    with pytest.raises(DistributionError) as found:
        add_point(site, "store", "s3://no-such-bucket", endpoint=objects.endpoint)
    assert not isinstance(found.value, PointDown)
    with pytest.raises(PointDown):
        add_point(site, "store", f"s3://{objects.bucket}", endpoint="http://127.0.0.1:9")
    add_point(site, "store", f"s3://{objects.bucket}/a/", endpoint=objects.endpoint)
    for name, location in (("store", "s3://other"), ("other", f"s3://{objects.bucket}/a")):
        with pytest.raises(AlreadyRecorded):
            add_point(site, name, location, endpoint=objects.endpoint)


def test_no_credentials_are_said_so(
    site: Site, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(DistributionError) as found:
        add_point(site, "store", f"s3://{objects.bucket}", endpoint=objects.endpoint)
    assert "AWS_ACCESS_KEY_ID" in found.value.hint


def test_nothing_secret_is_kept(
    served: ServedImage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = f"nowhere-{tmp_path.name}"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    send(served)
    with served.site.reading() as session:
        for table in (DistributionPoint, DistributedContent, Audit, StatusMessageRow):
            for row in session.scalars(select(table)):
                assert secret not in str({**vars(row)})
    kept = [path for path in served.site.folder.rglob("*") if path.is_file()]
    assert all(secret.encode() not in path.read_bytes() for path in kept)


@pytest.mark.parametrize(
    "length, base",
    [
        (3 * MIB, 0),
        (100 * MIB, 0),
        (12 * MIB, 11 * MIB),
        (12 * MIB, 12 * MIB),
        (12 << 30, 11 << 30),
        (300 << 30, 0),
        (4 << 40, 3 << 40),
        (10 * MIB, 10 * MIB - 1),
    ],
)
def test_parts_are_as_s3_takes_them(length: int, base: int) -> None:
    parts = plan_parts(length, base)
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert len(parts) <= 10_000
    assert (parts[0].start, parts[-1].end) == (0, length)
    for part, following in pairwise(parts):
        assert part.end == following.start
        assert 5 * MIB <= part.size <= 5 << 30
    assert 0 < parts[-1].size <= 5 << 30
    assert not parts[0].copied
    sent = sum(part.size for part in parts if not part.copied)
    assert sent == (length - base + 5 * MIB if base >= 10 * MIB else length)


def test_a_table_of_an_object_is_compared(served: ServedImage, objects: ObjectServer) -> None:
    """The store's mark and the length are right, and still the object is another."""
    send(served)
    with Archive.open(served.image) as archive:
        at = archive.header.xml.offset
    served.service()
    changed = bytearray(objects.get(key_of(served)))
    changed[at + 60] ^= 1
    objects.client().put_object(Bucket=objects.bucket, Key=key_of(served), Body=bytes(changed))
    tag = objects.client().head_object(Bucket=objects.bucket, Key=key_of(served))["ETag"]
    with served.site.writing() as session:
        content = session.merge(served.placed("store").content)
        content.tag = tag
    assert send(served).way is Way.WHOLE
    assert is_served(served, objects)

"""Distributes an image and counts every byte: bench.distributor IMAGE PACKAGE FOLDER OUT.

A site on SQLite, a folder point, and the object store of moto on loopback. The image is sent, then
serviced and sent, then rolled back and sent. What OUT is told as JSON was counted under wimdock's
transfers: in the writes to the folder, and in the parts that were sent to the store.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from tests.site.distribution.object_server import ObjectServer
from wimdock.files import Disk
from wimdock.servicing.service import ServiceOptions, service
from wimdock.site.distribution import Means, add_point, distribute, send_to, verify_point
from wimdock.site.distribution.object_store import ObjectStore, StoredPart
from wimdock.site.images.adding import add_package
from wimdock.site.images.going_back import rollback_package
from wimdock.site.images.reading import record_commit
from wimdock.site.opening import Place, create_site

POINTS = ("folder", "store")


class _CountingDisk(Disk):
    def __init__(self) -> None:
        self.bytes = 0

    def write_at(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        self.bytes += len(data)
        super().write_at(fd, data, offset)


class _CountedStore:
    """Counts what is sent in parts, by standing before `ObjectStore.send`."""

    def __init__(self) -> None:
        self.bytes = 0
        whole = ObjectStore.send

        def send(store: ObjectStore, key: str, upload: str, number: int, data: bytes) -> StoredPart:
            self.bytes += len(data)
            return whole(store, key, upload, number, data)

        ObjectStore.send = send  # type: ignore[assignment, method-assign]


def run(image: Path, package: Path, folder: Path) -> dict[str, Any]:
    """Do it all in an empty folder; give bytes and seconds by what was sent."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[name] = "bench"
    disk, store = _CountingDisk(), _CountedStore()
    means = Means(disk=disk)
    copy = Path(shutil.copyfile(image, folder / image.name))
    point = folder / "point"
    point.mkdir()
    server = ObjectServer(folder)
    server.start()
    site = create_site(Place(folder / "site"), "BEN")
    try:
        server.make_bucket()
        package_id = add_package(site, copy).id
        add_point(site, "folder", str(point))
        add_point(site, "store", f"s3://{server.bucket}/images", endpoint=server.endpoint)
        found: dict[str, Any] = {"image": image.stat().st_size}

        def count(what: str, *, first: bool = False) -> None:
            disk.bytes = store.bytes = 0
            began = time.perf_counter()
            if first:
                done = send_to(site, [package_id], POINTS, means=means)
            else:
                done = distribute(site, package_id, means=means)
            failed = [each.error for each in done if each.error is not None]
            if failed or len(done) != len(POINTS):
                message = f"{what}: {failed or done}"
                raise RuntimeError(message)
            found[what] = {
                "folder": disk.bytes,
                "store": store.bytes,
                "seconds": {each.point: each.seconds for each in done},
                "all_seconds": time.perf_counter() - began,
            }

        count("whole", first=True)
        commit = service(copy, [package], ServiceOptions()).commit
        if commit is None:
            message = "the package changed nothing"
            raise RuntimeError(message)
        found["added"] = commit.added
        record_commit(site, package_id)
        count("run")
        for name in POINTS:
            wrong = [each.error for each in verify_point(site, name, means=means) if each.error]
            if wrong:
                raise wrong[0]
        rollback_package(site, package_id)
        count("rollback")
        found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    finally:
        site.close()
        server.stop()
    return found


if __name__ == "__main__":
    out = Path(sys.argv[4])
    out.write_text(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))))

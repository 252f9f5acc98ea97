"""Several runs at once on one image file: one writes, the others are told who; none is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.lab.cases import component, package
from tests.lab.identity import LabIdentity
from tests.lab.image import verify
from tests.lab.lab import Lab
from tests.lab.manifest import LabComponent
from tests.lab.package import write_package
from tests.servicing.surroundings import packages_in, put_in
from wimdock.errors import ImageBusy
from wimdock.wim.rollback import list_generations


def start(image: Path, cabinet: Path, *words: str) -> subprocess.Popen[str]:
    """Start a run."""
    return subprocess.Popen(
        (sys.executable, "-m", "wimdock", "service", image, "--update", cabinet, "--json", *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src")},
    )


def test_runs_at_once(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinets = {}
    for number in range(3):
        identity = LabIdentity(f"Lab-Component-{number}")
        made = package(
            LabComponent(identity, component().payloads), name=f"Lab-Number-{number}-Package"
        )
        path = write_package(tmp_path / f"{number}.cab", made)
        cabinets[path] = made.identity.package_id
    runs = {path: start(image, path, *["--copy"] * (path.stem == "2")) for path in cabinets}
    done = set()
    for path, run in runs.items():
        out, err = run.communicate(timeout=60)
        document = json.loads(out)
        if run.returncode == 0:
            assert document["committed"]
            done.add(path)
        else:
            assert run.returncode == ImageBusy.exit_code, err
            assert document["errors"][0]["type"] == "ImageBusy"
    assert done
    for path, package_id in cabinets.items():
        assert (package_id in packages_in(image)) == (path in done), path
        put_in(image, [path])
    assert set(cabinets.values()) <= packages_in(image).keys()
    assert [g.number for g in list_generations(image)[0]] == [1, 2, 3, 4]
    verify(image)

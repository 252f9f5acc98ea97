"""What runs wimdock as a service: systemd's units and the container's recipe."""

from __future__ import annotations

import ctypes
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from scripts import reference
from tests.conftest import REPOSITORY, skip_or_fail
from wimdock.errors import NoSite, SchemaMismatch, SettingsError, UsageError

DEPLOY = REPOSITORY / "deploy"
UNITS = ("wimdock-serve.service", "wimdock-worker@.service")
GREATEST_EXPOSURE = 2.5
DENY_WRITE_EXECUTE = 65


def settings(unit: str) -> dict[str, list[str]]:
    """Give what a unit sets, each name with its values in order."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / unit).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def environment() -> dict[str, str]:
    lines = (DEPLOY / "systemd" / "wimdock.env").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def unit_files(folder: Path) -> list[Path]:
    """Give the units with a program that exists everywhere; the worker's as an instance."""
    made = []
    for unit in UNITS:
        text = (DEPLOY / "systemd" / unit).read_text(encoding="utf-8")
        path = folder / unit.replace("@", "@night")
        path.write_text(text.replace("/opt/wimdock/.venv/bin/wimdock", "/bin/true"), "utf-8")
        made.append(path)
    return made


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        skip_or_fail("systemd-analyze is not installed")
    return subprocess.run(
        ("systemd-analyze", *map(str, words)),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"},
    )


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    done = analyze("verify", "--man=no", "--recursive-errors=no", *unit_files(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_finds_a_unit_that_is_wrong(tmp_path: Path) -> None:
    (unit, _) = unit_files(tmp_path)
    unit.write_text(unit.read_text("utf-8").replace("KillMode=mixed", "KillMode=some"), "utf-8")
    assert "kill mode" in analyze("verify", "--man=no", "--recursive-errors=no", unit).stderr


def test_the_units_leave_little_open(tmp_path: Path) -> None:
    for unit in unit_files(tmp_path):
        done = analyze("security", "--offline=true", "--no-pager", unit)
        exposure = re.search(r"Overall exposure level .*: ([\d.]+)", done.stdout)
        assert exposure, done.stderr
        assert float(exposure[1]) <= GREATEST_EXPOSURE


@pytest.mark.parametrize("unit", UNITS)
def test_the_commands_of_the_units_exist(unit: str) -> None:
    found = settings(unit)
    (line,) = found["ExecStart"]
    program, name, *words = shlex.split(line)
    assert program == "/opt/wimdock/.venv/bin/wimdock"
    assert words.pop() == f"${name.upper()}_OPTIONS"
    words += shlex.split(environment()[f"{name.upper()}_OPTIONS"])
    commands = dict(reference.commands())
    with commands[f"wimdock {name}"].make_context(name, words) as context:
        assert context.params["grace"] == 60
    # Runs have their grace, and duties half a minute more.
    assert int(found["TimeoutStopSec"][0]) >= 60 + 30 + 30


@pytest.mark.parametrize("unit", UNITS)
def test_what_no_restart_mends_restarts_nothing(unit: str) -> None:
    kinds = (UsageError, NoSite, SchemaMismatch, SettingsError)
    expected = " ".join(str(kind.exit_code) for kind in kinds)
    assert settings(unit)["RestartPreventExitStatus"] == [expected]


def test_service_and_workers_are_shut_in_alike() -> None:
    serve, worker = (settings(unit) for unit in UNITS)
    different = {
        name for name in serve.keys() | worker.keys() if serve.get(name) != worker.get(name)
    }
    assert different == {"Description", "ExecStart", "EnvironmentFile"}
    assert "User" in serve


def test_the_environment_of_the_units_is_that_of_wimdock() -> None:
    page = (reference.REFERENCE / "environment.md").read_text(encoding="utf-8")
    text = (DEPLOY / "systemd" / "wimdock.env").read_text(encoding="utf-8")
    named = re.findall(r"\bWIMDOCK_\w+", text)
    assert named
    assert all(f"`{name}`" in page for name in named)


def test_wimdock_needs_no_memory_that_is_written_and_executed(tmp_path: Path) -> None:
    """As MemoryDenyWriteExecute of the units has it; the kernel of the tests does it here."""

    def deny() -> None:
        ctypes.CDLL(None).prctl(DENY_WRITE_EXECUTE, 1, 0, 0, 0)

    command = (sys.executable, "-m", "wimdock", "demo")
    done = subprocess.run(
        command, cwd=tmp_path, preexec_fn=deny, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def instructions() -> list[tuple[str, str]]:
    """Give the instructions of the container's recipe, each in one line."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    pairs = (line.partition(" ") for line in lines if line.strip())
    return [(name, " ".join(rest.split())) for name, _, rest in pairs]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, rest in instructions():
        if name == "FROM":
            found.append([])
        if found:
            found[-1].append((name, rest))
    return found


def test_what_the_container_copies_is_there_and_not_ignored() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (DEPLOY / "Containerfile.dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    (build, _) = stages()
    copied = {
        source
        for name, rest in build
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert copied == allowed
    assert all((REPOSITORY / source).exists() for source in copied)


def test_the_container_has_the_packages_that_wimdock_needs() -> None:
    listed = (REPOSITORY / "scripts" / "packages.txt").read_text(encoding="utf-8")
    section = listed.split("[run]\n")[1].split("\n[")[0]
    needed = [line.split() for line in section.splitlines() if line and not line.startswith("#")]
    (_, final) = stages()
    (line,) = (rest for name, rest in final if name == "RUN" and "apt-get" in rest)
    installed = re.search(r"--no-install-recommends ([^&]*)&&", line)
    assert installed
    words = set(installed[1].split()) - {"ca-certificates", "python3"}
    assert all(words.intersection(names) for names in needed)
    assert words <= {name for names in needed for name in names}
    assert all(
        "rm -rf /var/lib/apt/lists/*" in rest for name, rest in instructions() if "apt-get" in rest
    )


def test_the_container_takes_requirements_by_their_hashes_only() -> None:
    (build, final) = stages()
    (first, second) = (rest for name, rest in build if "pip install" in rest)
    assert "--require-hashes -r requirements/run.txt" in first
    assert "--no-index --no-deps --no-build-isolation ." in second
    assert not any("pip" in rest for _, rest in final)


def test_the_container_is_nobody_in_particular_and_runs_a_command_of_wimdock() -> None:
    (_, final) = stages()
    found = dict(final)
    user, _, group = found["USER"].partition(":")
    assert user == group == "10001"
    (made,) = (rest for name, rest in final if "useradd" in rest)
    assert f"groupadd --gid {group} " in made
    assert f"--uid {user} --gid {group} " in made
    assert found["ENTRYPOINT"] == '["wimdock"]'
    name, *words = re.findall(r'"([^"]+)"', found["CMD"])
    commands = dict(reference.commands())
    with commands[f"wimdock {name}"].make_context(name, words) as context:
        host, port = context.params["metrics"]
    assert host == "0.0.0.0"  # noqa: S104 - of the container
    assert found["EXPOSE"] == str(port)
    assert f"127.0.0.1:{port}/healthz" in found["HEALTHCHECK"]


def test_the_guide_names_commands_that_exist() -> None:
    guide = (REPOSITORY / "docs" / "guide" / "running.md").read_text(encoding="utf-8")
    commands = dict(reference.commands())
    for name in ("serve", "worker", "site init", "image add"):
        assert f"wimdock {name}" in guide
        assert isinstance(commands[f"wimdock {name}"], click.Command)
    for path in re.findall(r"deploy/[\w./]+", guide):
        assert (REPOSITORY / path).exists()

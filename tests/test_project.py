"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "wimdock"
SOURCES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = [
    path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file() and not path.suffix
]
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
GREATEST_LENGTH = 500
UNWANTED = re.compile(
    r"\b(TODO|FIXME|XXX)\b|for now\b|/(root|home/\w+)/\.|extra-index-url"
    r"|\bregistry\.\w+\.(org|com)\b|\bfiles\.python\w+\."
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def configuration() -> dict[str, dict[str, dict[str, object]]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def own_files() -> list[Path]:
    """Give every text file of the project that git keeps, or would keep."""
    if not (ROOT / ".git").exists():
        pytest.skip("no git repository: this is an unpacked release")
    listed = subprocess.run(
        ("git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in found if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_has_one_reason_to_exist(path: Path) -> None:
    assert path.stem not in VAGUE
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= GREATEST_LENGTH


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_the_command_line_exits(path: Path) -> None:
    if path.is_relative_to(PACKAGE / "cli"):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Attribute(value=ast.Name("sys"), attr="exit") | ast.Name("SystemExit"):
                pytest.fail(f"line {node.lineno} exits")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=name_of)
def test_a_package_is_a_docstring_and_its_names(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for node in tree.body:
        assert isinstance(node, ast.Expr | ast.Import | ast.ImportFrom | ast.Assign | ast.If)


def test_nothing_is_left_undone_or_tied_to_a_machine() -> None:
    found = [
        f"{name_of(path)}: {match[0]}"
        for path in own_files()
        if path != Path(__file__)
        for match in UNWANTED.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


@pytest.mark.parametrize("path", [*SCRIPTS, ROOT / ".ci" / "run"], ids=name_of)
def test_scripts_can_be_run(path: Path) -> None:
    assert os.access(path, os.X_OK) or path.name == "packages.txt"
    assert path.read_text(encoding="utf-8").startswith("#!/bin/sh\n# ")
    subprocess.run(("sh", "-n", str(path)), check=True)


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text.strip())
    found = {}
    for block in blocks:
        pin = re.match(r"([a-z0-9-]+)==([\w.]+) \\\n", block)
        assert pin, block
        assert "--hash=sha256:" in block
        found[pin[1]] = pin[2]
    return found


def names(requirements: object) -> set[str]:
    assert isinstance(requirements, list)
    return {re.split(r"[<>=~! \[]", requirement, maxsplit=1)[0] for requirement in requirements}


def test_every_requirement_is_pinned_by_hash() -> None:
    project = configuration()["project"]
    run, dev = pins("run.txt"), pins("dev.txt")
    assert names(project["dependencies"]) <= run.keys()
    assert names(configuration()["build-system"]["requires"]) <= run.keys()
    assert names(project["optional-dependencies"]["dev"]) <= dev.keys()
    assert run.items() <= dev.items()


def test_whatever_is_imported_is_required() -> None:
    """A tool of the tests that wimdock imports would be missing where only wimdock is installed."""
    distributions = {
        "botocore": "boto3",
        "dateutil": "python-dateutil",
        "libarchive": "libarchive-c",
        "prometheus_client": "prometheus-client",
        "spnego": "pyspnego",
    }
    required = names(configuration()["project"]["dependencies"])
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=aliases):
                    imported = {alias.name for alias in aliases}
                case ast.ImportFrom(module=str(module), level=0):
                    imported = {module}
                case _:
                    continue
            roots = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
            missing = {distributions.get(root, root) for root in roots - {"wimdock"}} - required
            assert not missing, f"{name_of(path)}, line {node.lineno}"


def test_every_exception_from_the_linter_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if re.match(r'\s+"[A-Z]+[0-9]*",', line):
            assert re.search(r",\s+# \w", line), line

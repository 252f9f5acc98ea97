"""Nothing goes undocumented: commands, options, errors, settings, JSON documents, pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

import wimdock
from scripts import failures, reference
from wimdock.cli.commands import COMMANDS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SOURCES = sorted((ROOT / "src").rglob("*.py"))
PAGES = sorted(DOCS.rglob("*.md"))
SETTING = re.compile(r"\b_?WIMDOCK_[A-Z_]+\b")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@cache
def commands() -> tuple[tuple[str, click.Command], ...]:
    return tuple(reference.commands())


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", ["cli.md", "exit-codes.md", "settings.md", "status-messages.md"])
def test_pages_written_from_the_code_are_current(page: str) -> None:
    path = reference.REFERENCE / page
    assert path.read_text(encoding="utf-8") == reference.pages()[path], "run scripts/docs"


def test_pages_of_failures_are_current() -> None:
    current = failures.pages()
    assert {path: path.read_text(encoding="utf-8") for path in current} == current, (
        "run scripts/docs"
    )
    assert set(failures.FAILURES.iterdir()) == set(current)


def test_every_command_is_described_and_has_examples() -> None:
    for name, command in commands():
        assert command.help, name
        if not isinstance(command, click.Group):
            assert command.epilog, f"{name} has no examples"
            assert f"{name} " in f"{command.epilog} ", f"no example of {name} in its epilog"


def test_the_help_says_what_the_commands_say() -> None:
    for name, command in commands():
        top, _, rest = name.removeprefix("wimdock ").partition(" ")
        if not rest:
            assert command.help, name
            first = re.split(r"\n\s*\n", command.help.strip())[0]
            assert " ".join(first.split()) == COMMANDS[top].summary


def test_every_option_is_described() -> None:
    page = (reference.REFERENCE / "cli.md").read_text(encoding="utf-8")
    for name, command in commands():
        assert f"## {name}\n" in page
        section = page.split(f"## {name}\n", 1)[1].split("\n## ", 1)[0]
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.opts[0]}"
                assert all(option in section for option in parameter.opts)
            else:
                metavar = parameter.make_metavar(click.Context(command))
                assert metavar in section, f"{name} {metavar}"


def test_every_error_has_a_status_of_its_own_and_stands_in_the_tree() -> None:
    kinds = list(reference.error_classes())
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
    tree = wimdock.errors.__doc__ or ""
    for kind in kinds:
        assert re.search(rf"\b{kind.__name__} +{kind.exit_code} ", tree) or kind.exit_code == 1


def test_every_setting_is_described() -> None:
    pages = (reference.REFERENCE / "environment.md", reference.REFERENCE / "settings.md")
    page = "".join(path.read_text(encoding="utf-8") for path in pages)
    shell = [path for folder in ("scripts", ".ci") for path in (ROOT / folder).iterdir()]
    used = {
        setting
        for path in (*SOURCES, *(ROOT / "tests").rglob("*.py"), *shell)
        if path.is_file() and path != Path(__file__)
        for setting in SETTING.findall(path.read_text(encoding="utf-8"))
        if not setting.startswith("_")  # click's own, described with shell completion
    }
    assert used == {setting for setting in used if f"`{setting}`" in page}


def documents() -> Iterator[str]:
    """Name the JSON documents that the code prints."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name("print_document" | "document"),
                    args=[ast.Constant(str(name)), *_],
                ):
                    yield name


def test_every_json_document_is_described() -> None:
    page = (reference.REFERENCE / "json.md").read_text(encoding="utf-8")
    for name in documents():
        assert f"| `{name}` |" in page, name


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in LINK.findall(text):
        if re.match(r"https?:|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        goal = (page.parent / name).resolve() if name else page
        assert goal.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", goal.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}
            assert anchor in slugs, target


def test_fidelity_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", (DOCS / "fidelity.md").read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_index_names_every_page() -> None:
    """A folder with an index of its own is named by that."""
    indexes = [DOCS / "README.md", failures.FAILURES / "README.md"]
    named = {
        (index.parent / target).resolve()
        for index in indexes
        for target in LINK.findall(index.read_text(encoding="utf-8"))
    }
    assert {page for page in PAGES if page != indexes[0]} <= named


def test_decisions_are_numbered_and_say_context_choice_and_cost() -> None:
    records = sorted((DOCS / "decisions").glob("*.md"))
    for number, record in enumerate(records, 1):
        text = record.read_text(encoding="utf-8")
        assert record.name.startswith(f"{number:04}-")
        assert text.startswith(f"# {number:04}: ")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Choice", "Cost"]


def test_the_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "./scripts/demo" in text
    assert "./scripts/test" in text


def test_changes_of_this_version_are_noted() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## Unreleased" in text or f"## {wimdock.__version__}" in text

"""The pages of docs/failures: one for each known failure, written from the doctor's rules.

`scripts/docs` writes them; `tests/test_docs.py` fails where the files say something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from wimdock.doctor.codes import name_of
from wimdock.doctor.rule import Bounds, Evidence, Remedy, Rule, Verdict
from wimdock.doctor.rules import load_rules
from wimdock.doctor.wording import PLACEHOLDERS
from wimdock.reparse.hosts import NAMES, Build

FAILURES = Path(__file__).parent.parent / "docs" / "failures"
_NOTE = "<!-- Written by scripts/docs from src/wimdock/doctor/rules: do not edit. -->"
_LOGS = {
    "offline": "OfflineServicingMgr.log",
    "dism": "DISM.log",
    "cbs": "CBS.log",
    "other": "another log",
}
BUILD_LENGTH = 3
_HOSTS = {"windows": "On Windows", "wimdock": "With wimdock"}
_BOUNDS = {
    "host_before": "host older than {}",
    "host_from": "host {} or later",
    "image_before": "image older than {}",
    "image_from": "image {} or later",
}
_REPARSE = {
    "strong": "the image has reparse points that the host does not know",
    "weak": "the image has reparse points with unusual targets",
    "none": "the image has no reparse points that could trouble a host",
}


def _worded(text: str) -> str:
    """Give a rule's text as Markdown, with placeholders where a case would fill in."""
    filled = re.sub(r"\{([a-z]+)\}", lambda found: PLACEHOLDERS[found[1]], text)
    outside = filled.split("`")
    outside[::2] = [
        re.sub(r"([<>*_])", r"\\\1", re.sub(r"\\(?=[<>*_\\])", r"\\\\", part))
        for part in outside[::2]
    ]
    return "`".join(outside)


def _sentence(text: str) -> str:
    worded = _worded(text)
    worded = worded[:1].upper() + worded[1:]
    return worded if worded.endswith((".", "?", "!")) else f"{worded}."


def _command(text: str) -> str:
    return re.sub(r"\{([a-z]+)\}", lambda found: PLACEHOLDERS[found[1]], text)


def _listed(words: Iterable[str], last: str) -> str:
    found = list(words)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} {last} {found[-1]}"


def _code(code: int) -> str:
    name = name_of(code)
    return f"`0x{code:08X}`" + (f" ({_worded(name)})" if name and " " not in name else "")


def _version(version: tuple[int, ...]) -> str:
    """Give a version with the name that Windows of that build has, where it has one."""
    numbers = ".".join(map(str, version))
    names = NAMES.get(Build(*version[:3])) if len(version) == BUILD_LENGTH else None
    return f"{names[0]} ({numbers})" if names else numbers


def _bounds(bounds: Bounds) -> str:
    words = []
    for key, phrase in _BOUNDS.items():
        version = getattr(bounds, key)
        if version is not None:
            words.append(phrase.format(_version(version)))
    if bounds.image_reparse is not None:
        words.append(_REPARSE[bounds.image_reparse])
    return _listed(words, "and")


def _evidence(evidence: Evidence) -> str:
    """Say in words what an evidence looks for."""
    if evidence.is_fact:
        return _bounds(evidence.bounds)
    words = []
    if evidence.codes:
        words.append(
            "code " + _listed((f"`0x{code:08X}`" for code in sorted(evidence.codes)), "or")
        )
    if evidence.functions:
        words.append("at " + _listed((f"`{each}`" for each in sorted(evidence.functions)), "or"))
    if evidence.status_message is not None:
        words.append(f"status message {evidence.status_message}")
    words += [f"insertion string {number} `{text}`" for number, text in evidence.insertions]
    if evidence.message is not None:
        pattern = evidence.message.pattern.replace("|", "\\|")
        words.append(f"text that matches `{pattern}`")
    if evidence.component:
        words.append(f"component `{evidence.component}`")
    if evidence.severity:
        words.append("severity " + _listed(sorted(evidence.severity), "or"))
    if evidence.logs:
        names = [name for log, name in _LOGS.items() if log in evidence.logs]
        words.append("in " + _listed(names, "or"))
    if evidence.unless_followed_by:
        words.append(f"and no {evidence.unless_followed_by} after it")
    return ", ".join(words)


def _verdict(verdict: Verdict) -> str:
    words = []
    if verdict.all:
        words.append(_listed(verdict.all, "and"))
    if verdict.any:
        several = len(verdict.any) > 1
        words.append(("one of " if several else "") + _listed(verdict.any, "or"))
    if verdict.none:
        words.append("not " + _listed(verdict.none, "nor"))
    return "; ".join(words)


def _remedy(number: int, remedy: Remedy) -> Iterator[str]:
    yield f"{number}. **{_worded(remedy.title)}.** {_worded(remedy.text)}"
    if not remedy.fits.is_empty:
        yield f"   Only where this is so: {_bounds(remedy.fits)}."


def _clean_up(rule: Rule) -> Iterator[str]:
    for system, heading in {**_HOSTS, "": "Anywhere"}.items():
        steps = [step for step in rule.clean_up if step.on == system]
        if not steps:
            continue
        yield f"{heading}:"
        yield ""
        for number, step in enumerate(steps, 1):
            yield f"{number}. {_worded(step.text)}"
            if step.command:
                yield ""
                yield "   ```"
                yield f"   {_command(step.command)}"
                yield "   ```"
                yield ""
        yield ""


def _links(rules: Iterable[Rule], named: Iterable[str]) -> str:
    pages = {rule.id: rule for rule in rules}
    return _listed(
        (f"[{_worded(pages[each].title)}]({_page_name(pages[each])})" for each in named), "and"
    )


def _page_name(rule: Rule) -> str:
    return f"{rule.number:02}-{rule.id}.md"


def failure_page(rule: Rule, rules: Iterable[Rule]) -> str:
    """Give the page of one failure; `rules` are all of them, for the links."""
    lines = [_NOTE, "", f"# {rule.number}. {_worded(rule.title)}", ""]
    if rule.codes:
        lines += ["Codes: " + ", ".join(map(_code, rule.codes)) + ".", ""]
    lines += ["## What happened", "", _worded(rule.what_happened), ""]
    lines += ["## Cause", "", _worded(rule.cause), ""]
    lines += ["## What to do", ""]
    for number, remedy in enumerate(rule.remedies, 1):
        lines += _remedy(number, remedy)
    lines.append("")
    if rule.clean_up:
        lines += ["## Clean-up", "", *_clean_up(rule)]
    lines += ["## How it is recognised", "", "| evidence | what is looked for |", "|---|---|"]
    lines += [f"| {each.name} | {_evidence(each)} |" for each in rule.evidence]
    lines += ["", "The first line that holds counts:", ""]
    lines += ["| confidence | when there is | because |", "|---|---|---|"]
    lines += [
        f"| {each.confidence.value} | {_verdict(each)} | {_sentence(each.because)} |"
        for each in rule.verdicts
    ]
    lines.append("")
    for each in rule.ruled_out:
        lines += [f"Ruled out by {each.when}: {_worded(each.because)}.", ""]
    if rule.leaves_behind:
        lines += [f"May follow until it is cleaned up: {_links(rules, rule.leaves_behind)}.", ""]
    if rule.lesser_than:
        lines += [f"Only an echo beside: {_links(rules, rule.lesser_than)}.", ""]
    lines += ["## Sources", ""]
    lines += [
        f"- [{source.title}]({source.url})" if source.url else f"- {source.title}"
        for source in rule.sources
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def index_page(rules: Iterable[Rule]) -> str:
    """Give docs/failures/README.md."""
    lines = [
        _NOTE,
        "",
        "# Known failures",
        "",
        "What `wimdock doctor` recognises in the logs of Configuration Manager and DISM. Each is a",
        "file of [rules](../internals/rules.md), and these pages are written from them.",
        "",
        "| | failure | codes |",
        "|---|---|---|",
    ]
    lines += [
        f"| {rule.number} | [{_worded(rule.title)}]({_page_name(rule)}) "
        f"| {', '.join(f'`0x{code:08X}`' for code in rule.codes)} |"
        for rule in rules
    ]
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Give every page of docs/failures."""
    rules = load_rules()
    found = {FAILURES / _page_name(rule): failure_page(rule, rules) for rule in rules}
    return {FAILURES / "README.md": index_page(rules), **found}


def main() -> None:
    """Write the pages, and remove those of failures that are gone."""
    current = pages()
    FAILURES.mkdir(exist_ok=True)
    for path in FAILURES.glob("*.md"):
        if path not in current:
            path.unlink()
    for path, text in current.items():
        path.write_text(text, encoding="utf-8")
    print(f"wrote {len(current)} pages in docs/failures")


if __name__ == "__main__":
    main()

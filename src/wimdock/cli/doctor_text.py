"""The report of `wimdock doctor` for people: wrapped text, but lines and commands as they are."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Sequence

import click

from wimdock.cli.output import print_text, visible
from wimdock.doctor.phrasing import (
    Names,
    application_words,
    case_words,
    code_words,
    headline,
    mention_words,
    quiet_words,
    read_words,
    relations,
    spoken,
    title,
)
from wimdock.doctor.report import Report, Reported

_WIDTH = 100
_LEAST = 50
_MOST_TITLES = 20
_INDENT = "   "


def print_report(report: Report) -> None:
    """Print a report: what was found first, what was read behind it."""
    names = Names(report)
    _heading(headline(report))
    if not report.findings:
        _print_read(report)
    elif len(report.findings) > 1:
        _print_contents(report.findings)
    for finding in report.findings:
        print_text()
        _print_finding(finding, names)
    if report.mentioned:
        print_text()
        _paragraph(quiet_words(), "")
        for each in report.mentioned:
            _bullet(mention_words(each, names), "")
    if report.findings:
        print_text()
        _paragraph("What was read:", "")
        _print_read(report)


def _print_contents(findings: Sequence[Reported]) -> None:
    for finding in findings[:_MOST_TITLES]:
        case = finding.case
        image = "" if case.index is None else f"image {case.index}"
        where = ", ".join(filter(None, (case.package, image)))
        _paragraph(f"{title(finding)}{f' ({where})' if where else ''}", "     ", "  ")
    if len(findings) > _MOST_TITLES:
        print_text(f"  and {len(findings) - _MOST_TITLES:,} more below")


def _print_read(report: Report) -> None:
    for line in read_words(report):
        _bullet(line, "")


def _print_finding(finding: Reported, names: Names) -> None:
    _heading(title(finding))
    for line in relations(finding, names):
        _paragraph(line, _INDENT)
    for word, value in case_words(finding.case, names):
        print_text(visible(f"{_INDENT}{word + ':':<17}{value}"))
    _section("What happened", (finding.what_happened,))
    _section("Cause", (finding.cause,))
    if finding.because:
        _section("Why this is it", (finding.because,))
    _list("Codes", map(code_words, finding.codes))
    _print_evidence(finding, names)
    _list("Codes beside it", map(code_words, finding.also_seen))
    _list(
        "Looked at and ruled out",
        (f"Failure {each.number}, {each.title}: {each.because}" for each in finding.ruled_out),
    )
    _list(
        "Hosts",
        (
            f"{', '.join(filter(None, (each.name, each.build)))}: {spoken(each.verdict)}. "
            f"{each.reason}"
            for each in finding.hosts
        ),
    )
    _list("Notes", finding.notes)
    _print_advice(finding)
    _print_clean_up(finding)
    _list(
        "Sources",
        (f"{each.title}{f' <{each.url}>' if each.url else ''}" for each in finding.sources),
    )


def _print_evidence(finding: Reported, names: Names) -> None:
    if not finding.evidence:
        return
    print_text(f"{_INDENT}Evidence")
    for quote in finding.evidence:
        again = f"  [{quote.repeated:,} more like it]" if quote.repeated else ""
        print_text(visible(f"{_INDENT * 2}{names.spot(quote.file, quote.line)}{again}"))
        for line in quote.text.split("\n"):
            print_text(visible(f"{_INDENT * 2}| {line.strip()}"))
    if finding.evidence_left_out:
        print_text(f"{_INDENT * 2}and {finding.evidence_left_out:,} more")


def _print_advice(finding: Reported) -> None:
    if not finding.what_to_do:
        return
    print_text(f"{_INDENT}What to do")
    for each in finding.what_to_do:
        why = f": {each.why}" if each.why else ""
        fits = f" [{spoken(each.fits)}{why}]" if why or each.fits != "fits" else ""
        _bullet(f"{each.title}{fits}", _INDENT * 2)
        _paragraph(each.text, f"{_INDENT * 2}  ")
        for application in each.applications:
            _bullet(application_words(application), f"{_INDENT * 2}  ")


def _print_clean_up(finding: Reported) -> None:
    if not finding.clean_up:
        return
    print_text(f"{_INDENT}Clean up, in this order")
    for number, step in enumerate(finding.clean_up, 1):
        _paragraph(step.text, _INDENT * 3, f"{_INDENT * 2}{number}. ")
        if step.command:
            print_text(visible(f"{_INDENT * 3}{step.command}"))


def _heading(text: str) -> None:
    bold = sys.stdout.isatty()
    for line in _wrapped(text, "", ""):
        print_text(click.style(visible(line), bold=True) if bold else visible(line))


def _section(name: str, paragraphs: Iterable[str]) -> None:
    print_text(f"{_INDENT}{name}")
    for text in paragraphs:
        _paragraph(text, _INDENT * 2)


def _list(name: str, lines: Iterable[str]) -> None:
    found = list(lines)
    if found:
        print_text(f"{_INDENT}{name}")
    for line in found:
        _bullet(line, _INDENT * 2)


def _bullet(text: str, indent: str) -> None:
    _paragraph(text, f"{indent}  ", f"{indent}- ")


def _paragraph(text: str, indent: str, first: str | None = None) -> None:
    for line in _wrapped(text, indent, indent if first is None else first):
        print_text(line)


def _wrapped(text: str, indent: str, first: str) -> list[str]:
    from shutil import get_terminal_size

    width = min(_WIDTH, max(_LEAST, get_terminal_size((_WIDTH, 24)).columns))
    return textwrap.wrap(
        visible(text),
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
